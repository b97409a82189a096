import { afterEach, describe, expect, it } from "vitest";
import { NodeRandom } from "../../src/adapters/node-random.ts";
import { grpcJsTransport } from "../../src/adapters/peer-network/grpc-js/grpc-js-transport.ts";
import { http2Transport } from "../../src/adapters/peer-network/http2/http2-transport.ts";
import { PeerNetwork } from "../../src/adapters/peer-network/peer-network.ts";
import { Opened, answerMerged, ask, clock, hasty, mergeOf, until } from "./test-node.ts";

const http2 = new Opened(http2Transport);
const grpcJs = new Opened(grpcJsTransport);
afterEach(async () => {
  await http2.close();
  await grpcJs.close();
});

const merged = { ok: true, response: { kind: "merged", changed: true } };
const sizes = [4, 30_000, 70_000, 1_000_000, 4];

describe("nodes with different transports", () => {
  it.each([
    { asking: "node:http2", answering: "grpc-js", from: http2, to: grpcJs },
    { asking: "grpc-js", answering: "node:http2", from: grpcJs, to: http2 },
  ])("understand each other: $asking asks $answering", async ({ from, to }) => {
    const order: number[] = [];
    const { address } = await to.server((request, deadline, settle) => {
      if (request.kind === "merge") order.push(request.record.length);
      answerMerged(request, deadline, settle);
    });
    const network = from.network();
    const replies = await Promise.all(
      sizes.map((size) => ask({ network, to: address, request: mergeOf(1, size) })),
    );
    expect(replies).toEqual(sizes.map(() => merged));
    expect(order).toEqual(sizes);
    expect(network.totals()).toMatchObject({ connects: 1, malformed: 0 });
  });

  it("may be changed one after the other, while they serve", async () => {
    const before = await grpcJs.server(answerMerged, hasty);
    const { address: to, port } = before;
    const old = grpcJs.network(hasty);
    expect(await ask({ network: old, to, request: mergeOf(1) })).toEqual(merged);
    await before.server.close();
    await until(() => !old.isReachable(to));
    await http2.server(answerMerged, hasty, port);
    await until(() => old.isReachable(to));
    expect(await ask({ network: old, to, request: mergeOf(2) })).toEqual(merged);
    const changed = new PeerNetwork({ clock, random: new NodeRandom(), options: hasty });
    http2.add(() => changed.close());
    expect(await ask({ network: changed, to, request: mergeOf(3) })).toEqual(merged);
    expect(old.totals().reconnects).toBe(1);
  });
});
