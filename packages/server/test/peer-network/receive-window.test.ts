import { noFence } from "@coterie/core";
import { afterEach, describe, expect, it } from "vitest";
import {
  type PeerOptions,
  defaultPeerOptions,
} from "../../src/adapters/peer-network/peer-options.ts";
import { Opened, addressOf, ask, mergeOf, transports } from "./test-node.ts";
import { TcpProxy } from "./tcp-proxy.ts";

describe.each(transports)("over $name:", ({ transport }) => {
  const opened = new Opened(transport);
  afterEach(() => opened.close());

  /** The most bytes that were under way at once, each way, when the way took 10 ms. */
  async function bytesUnderWay(options: PeerOptions): Promise<{ there: number; back: number }> {
    const { port } = await opened.server((request, _deadline, settle) => {
      settle({
        kind: "present",
        fence: noFence,
        record: request.kind === "merge" ? request.record : new Uint8Array(),
      });
    }, options);
    const proxy = new TcpProxy(port);
    proxy.delayMs = 10;
    opened.add(() => proxy.close());
    const to = addressOf(await proxy.listen());
    const network = opened.network(options);
    const request = mergeOf(1, 60_000);
    await ask({ network, to, request });
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => ask({ network, to, request })),
    );
    expect(replies.filter((reply) => reply.ok)).toHaveLength(50);
    return { there: proxy.toServer.heldMax, back: proxy.toClient.heldMax };
  }

  describe("over a long way", () => {
    it("far more than HTTP/2's 64 KB is under way at once", async () => {
      const { there, back } = await bytesUnderWay(defaultPeerOptions);
      expect(there).toBeGreaterThan(300_000);
      expect(back).toBeGreaterThan(300_000);
    });

    it("as much as the window allows, not more", async () => {
      const small = { ...defaultPeerOptions, receiveWindowBytes: 200_000 };
      const { there, back } = await bytesUnderWay(small);
      expect(there).toBeLessThan(250_000);
      expect(back).toBeLessThan(250_000);
      expect(there).toBeGreaterThan(70_000);
    });
  });
});
