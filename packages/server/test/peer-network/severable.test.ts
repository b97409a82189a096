import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PeerAddress } from "@coterie/core";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { Receive } from "@coterie/ports";
import type { PeerNetwork } from "../../src/adapters/peer-network/peer-network.ts";
import {
  type PeerOptions,
  defaultPeerOptions,
} from "../../src/adapters/peer-network/peer-options.ts";
import { SeverableTransport } from "../../src/adapters/peer-network/severable-transport.ts";
import { Opened, ask, hasty, idOf, mergeOf, transports, until } from "./test-node.ts";

const answered = { ok: true, response: { kind: "merged", changed: true } };

describe.each(transports)("a cut way to a peer, over $name:", ({ transport }) => {
  let severable: SeverableTransport;
  let opened: Opened;
  let network: PeerNetwork;
  let to: PeerAddress;
  let received: number[];

  const receive: Receive<PeerRequest, PeerResponse> = (request, _deadline, settle) => {
    received.push(idOf(request));
    settle({ kind: "merged", changed: true });
  };

  beforeEach(() => {
    severable = new SeverableTransport(transport);
    opened = new Opened(severable);
    received = [];
  });
  afterEach(() => opened.close());

  async function connect(options: PeerOptions): Promise<void> {
    ({ address: to } = await opened.server(receive, options));
    network = opened.network(options);
    expect(await ask({ network, to, request: mergeOf(1) })).toEqual(answered);
  }

  function cut(directions: { readonly to: boolean; readonly from: boolean }): void {
    severable.cut([{ address: to, ...directions }]);
  }

  it("what is sent meanwhile does not arrive, and arrives once the way is whole", async () => {
    await connect(defaultPeerOptions);
    cut({ to: true, from: true });
    const first = ask({ network, to, request: mergeOf(2) });
    const late = await ask({ network, to, request: mergeOf(3), timeoutMs: 50 });
    expect(late).toEqual({ ok: false, reason: "timeout" });
    expect(received).toEqual([1]);
    severable.cut([]);
    expect(await first).toEqual(answered);
    expect(received).toContain(2);
  });

  it("one way, the peer does what it is asked and its answer is lost", async () => {
    await connect(defaultPeerOptions);
    cut({ to: false, from: true });
    const asked = ask({ network, to, request: mergeOf(2) });
    await until(() => received.includes(2));
    const alone = await ask({ network, to, request: mergeOf(3), timeoutMs: 50 });
    expect(alone).toEqual({ ok: false, reason: "timeout" });
    severable.cut([]);
    expect(await asked).toEqual(answered);
  });

  it("the peer is missed after a while, and found when the way is whole", async () => {
    await connect(hasty);
    cut({ to: true, from: false });
    expect(await ask({ network, to, request: mergeOf(2) })).toEqual({
      ok: false,
      reason: "timeout",
    });
    expect(network.isReachable(to)).toBe(false);
    severable.cut([]);
    await until(() => network.isReachable(to));
    expect(await ask({ network, to, request: mergeOf(3) })).toEqual(answered);
    expect(received).toEqual([1, 3]);
  });

  it("a connection does not open across a cut, and opens when it is healed", async () => {
    ({ address: to } = await opened.server(receive));
    cut({ to: false, from: true });
    network = opened.network();
    const asked = ask({ network, to, request: mergeOf(1) });
    expect(await ask({ network, to, request: mergeOf(2), timeoutMs: 50 })).toMatchObject({
      ok: false,
    });
    severable.cut([]);
    expect(await asked).toEqual(answered);
  });

  it("a peer that died across a cut is not missed before the cut is healed", async () => {
    const { server, address } = await opened.server(receive);
    to = address;
    network = opened.network();
    expect(await ask({ network, to, request: mergeOf(1) })).toEqual(answered);
    cut({ to: true, from: true });
    const asked = ask({ network, to, request: mergeOf(2) });
    await server.close();
    const late = await ask({ network, to, request: mergeOf(3), timeoutMs: 50 });
    expect(late).toEqual({ ok: false, reason: "timeout" });
    expect(network.isReachable(to)).toBe(true);
    severable.cut([]);
    expect(await asked).toEqual({ ok: false, reason: "timeout" });
    expect(network.isReachable(to)).toBe(false);
  });
});
