import { noFence } from "@coterie/core";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { Receive, Reply } from "@coterie/ports";
import { afterEach, describe, expect, it } from "vitest";
import { NodeRandom } from "../../src/adapters/node-random.ts";
import { PeerNetworks } from "../../src/adapters/peer-network/peer-networks.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import { Opened, addressOf, answerMerged, clock, mergeOf, transports, until } from "./test-node.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const merged = { ok: true, response: { kind: "merged", changed: true } };

function readOf(key: Uint8Array): PeerRequest {
  return { kind: "read", stamp: { epoch: 1, tag: 2 }, bucket: "default", key };
}

describe.each(transports)("lanes over $name:", ({ transport }) => {
  const opened = new Opened(transport);
  afterEach(() => opened.close());

  async function laned(receive: Receive<PeerRequest, PeerResponse>) {
    const { server, port } = await opened.server(receive);
    const proxy = new TcpProxy(port);
    opened.add(() => proxy.close());
    const to = addressOf(await proxy.listen());
    const network = new PeerNetworks({ clock, random: new NodeRandom(), transport });
    opened.add(() => network.close());
    const ask = (request: PeerRequest): Promise<Reply<PeerResponse>> =>
      new Promise((resolve) => {
        network.call(to, request, clock.monotonicMs() + 60_000, resolve);
      });
    return { ask, network, proxy, server };
  }

  it("small requests go on while large ones wait, and have room when those have none", async () => {
    const held: (() => void)[] = [];
    const { ask, network } = await laned((request, deadline, settle) => {
      const isLarge = request.kind === "merge" && request.record.length > mebibyte;
      if (isLarge) held.push(() => answerMerged(request, deadline, settle));
      else answerMerged(request, deadline, settle);
    });
    // Opens the lane: on a busy machine that might be given up while all of these are encoded.
    expect(await ask(mergeOf(1, mebibyte))).toEqual(merged);
    const large = Array.from({ length: 12 }, () => ask(mergeOf(1, 8 * mebibyte)));
    await until(() => held.length === 7);
    expect(network.totals().refusedOverBudget).toBe(5);
    const small = Array.from({ length: 64 }, () => ask(mergeOf(2, 100)));
    expect(new Set((await Promise.all(small)).map((reply) => JSON.stringify(reply)))).toEqual(
      new Set([JSON.stringify(merged)]),
    );
    for (const answer of held) answer();
    expect((await Promise.all(large)).filter(({ ok }) => ok)).toHaveLength(7);
  });

  it("each size has a connection of its own, opened when it is first needed", async () => {
    const { ask, proxy } = await laned(answerMerged);
    const sizes = [100, 16 * kibibyte, 64 * kibibyte, 256 * kibibyte, mebibyte, 8 * mebibyte];
    const accepted: number[] = [];
    for (const bytes of sizes) {
      expect(await ask(mergeOf(1, bytes))).toEqual(merged);
      accepted.push(proxy.accepted);
    }
    expect(accepted).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it.each([
    ["small", 16 * kibibyte, 1],
    ["large", 100 * kibibyte, 2],
    ["huge", 32 * mebibyte, 3],
  ])("a %s answer comes over the lane for it", async (_, bytes, lanes) => {
    const record = new Uint8Array(bytes).fill(7);
    const { ask, proxy, server } = await laned((_request, _deadline, settle) =>
      settle({ kind: "present", fence: noFence, record }),
    );
    const reply = await ask(readOf(Uint8Array.of(1)));
    const answer = reply.ok && reply.response.kind === "present" ? reply.response.record : [];
    expect(Buffer.compare(Buffer.from(answer), record)).toBe(0);
    expect(proxy.accepted).toBe(lanes);
    // Once on each: the first ones say that it is too large for them.
    expect(server.statistics.operations).toBe(lanes);
    expect(server.statistics.bytesSent).toBeLessThan(bytes + 1000);
  });

  it("what is asked again is what was asked, whatever became of the caller's key", async () => {
    const keys: (readonly number[])[] = [];
    const { ask } = await laned((request, _deadline, settle) => {
      if (request.kind === "read") keys.push([...request.key]);
      settle({ kind: "present", fence: noFence, record: new Uint8Array(mebibyte) });
    });
    const key = Uint8Array.of(1, 2, 3);
    const reply = ask(readOf(key));
    key.fill(9);
    expect(await reply).toMatchObject({ ok: true, response: { kind: "present" } });
    expect(keys).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it("an answer too large for every lane is refused for its size", async () => {
    const { ask } = await laned((_request, _deadline, settle) =>
      settle({ kind: "present", fence: noFence, record: new Uint8Array(33 * mebibyte) }),
    );
    const reply = await ask(readOf(Uint8Array.of(1)));
    expect(reply).toMatchObject({ ok: true, response: { kind: "refused", code: "too-large" } });
  });
});
