import type { PeerAddress } from "@coterie/core";
import { afterEach, describe, expect, it } from "vitest";
import { PeerServer } from "../../src/adapters/peer-network/peer-server.ts";
import { Opened, answerMerged, ask, clock, hasty, mergeOf, transports } from "./test-node.ts";

describe.each(transports)("over $name:", ({ transport }) => {
  const opened = new Opened(transport);
  afterEach(() => opened.close());

  const merged = { ok: true, response: { kind: "merged", changed: true } };

  describe("a peer's address", () => {
    it("may be a name", async () => {
      const { port } = await opened.server(answerMerged);
      const network = opened.network();
      const to = `localhost:${port}` as PeerAddress;
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(merged);
      expect([...network.statistics().keys()]).toEqual([to]);
    });

    it.each(["no-such-host.invalid:1", "127.0.0.1:99999", "unix:1", "?", ":", "127.0.0.1"])(
      "%s, where nobody can be: calls are refused",
      async (to) => {
        const network = opened.network(hasty);
        const reply = await ask({ network, to: to as PeerAddress, request: mergeOf(1) });
        expect(reply).toEqual({ ok: false, reason: "refused" });
      },
    );
  });

  describe("listening", () => {
    it("to a port that is taken fails, and says why", async () => {
      const { port } = await opened.server(answerMerged);
      const second = new PeerServer({ clock, receive: answerMerged, transport });
      const listening = await second.listen("127.0.0.1", port);
      expect(listening).toMatchObject({ ok: false });
      expect(listening.ok ? "" : listening.message).toContain("EADDRINUSE");
      await second.close();
    });

    it("is possible on IPv6", async () => {
      const server = new PeerServer({ clock, receive: answerMerged, transport });
      opened.add(() => server.close());
      const listening = await server.listen("::1", 0);
      const port = listening.ok ? listening.port : 0;
      const network = opened.network();
      const to = `[::1]:${port}` as PeerAddress;
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(merged);
    });

    it("raises the receive window: the servers inside grpc-js are where they were", async () => {
      const server = new PeerServer({ clock, receive: answerMerged, transport });
      opened.add(() => server.close());
      expect(await server.listen("127.0.0.1", 0)).toMatchObject({ ok: true, isWindowRaised: true });
    });
  });
});
