import { noFence } from "@coterie/core";
import type { PeerResponse } from "@coterie/cluster";
import { afterEach, describe, expect, it } from "vitest";
import { defaultPeerOptions } from "../../src/adapters/peer-network/peer-options.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import {
  Opened,
  addressOf,
  answerMerged,
  ask,
  hasty,
  mergeOf,
  sleep,
  until,
  transports,
} from "./test-node.ts";

describe.each(transports)("over $name:", ({ transport }) => {
  const opened = new Opened(transport);
  afterEach(() => opened.close());

  const merged = { ok: true, response: { kind: "merged", changed: true } };
  const refused = { ok: false, reason: "refused" };
  const timeout = { ok: false, reason: "timeout" };

  /** A server that holds its answers back until it is told. */
  async function holding(options: Parameters<Opened["network"]>[0]) {
    const held: ((response: PeerResponse) => void)[] = [];
    const { address } = await opened.server((_request, _deadline, settle) => {
      held.push(settle);
    }, options);
    const answer = (): void => {
      for (const settle of held.splice(0)) settle({ kind: "merged", changed: true });
    };
    return { address, held, answer };
  }

  describe("a peer's budget", () => {
    it("of operations: one more is refused, until one is answered", async () => {
      const options = { ...defaultPeerOptions, operationsMax: 3 };
      const { address: to, held, answer } = await holding(options);
      const network = opened.network(options);
      const waiting = [1, 2, 3].map((id) => ask({ network, to, request: mergeOf(id) }));
      expect(await ask({ network, to, request: mergeOf(4) })).toEqual(refused);
      await until(() => held.length === 3);
      expect(await ask({ network, to, request: mergeOf(5) })).toEqual(refused);
      answer();
      expect(await Promise.all(waiting)).toEqual([merged, merged, merged]);
      const next = ask({ network, to, request: mergeOf(6) });
      await until(() => held.length === 1);
      answer();
      expect(await next).toEqual(merged);
      expect(network.totals()).toMatchObject({ refusedOverBudget: 2, pendingOperations: 0 });
      expect(network.isReachable(to)).toBe(true);
    });

    it("of bytes: what does not fit is refused, and less may still fit", async () => {
      const options = { ...defaultPeerOptions, bytesMax: 10_000 };
      const { address: to, held, answer } = await holding(options);
      const network = opened.network(options);
      const waiting = [ask({ network, to, request: mergeOf(1, 6000) })];
      expect(await ask({ network, to, request: mergeOf(2, 6000) })).toEqual(refused);
      waiting.push(ask({ network, to, request: mergeOf(3, 3000) }));
      await until(() => held.length === 2);
      expect(network.totals().pendingBytes).toBeGreaterThan(9000);
      answer();
      expect(await Promise.all(waiting)).toEqual([merged, merged]);
      expect(network.totals().pendingBytes).toBe(0);
    });

    it("counts what was given up but not sent: a stuck peer costs no more memory", async () => {
      const options = { ...defaultPeerOptions, bytesMax: 20_000_000 };
      const { port } = await opened.server(answerMerged, options);
      const proxy = new TcpProxy(port);
      opened.add(() => proxy.close());
      const to = addressOf(await proxy.listen());
      const network = opened.network(options);
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(merged);
      proxy.freeze();
      const replies = new Set<string>();
      // More than the receive window holds, in calls that are given up soon.
      for (let round = 0; round < 10; round++) {
        const request = mergeOf(2, 4_000_000);
        const reply = await ask({ network, to, request, timeoutMs: 20 });
        replies.add(reply.ok ? "answered" : reply.reason);
      }
      expect(network.totals().pendingBytes).toBe(0);
      expect(replies).toEqual(new Set(["timeout", "refused"]));
      expect(network.totals().refusedOverBudget).toBeGreaterThan(0);
    });
  });

  describe("the limit of a message", () => {
    it("lets the largest record through, both ways", async () => {
      const { address: to } = await opened.server((request, _deadline, settle) => {
        const record = request.kind === "merge" ? request.record : new Uint8Array();
        settle({ kind: "present", fence: noFence, record });
      });
      const network = opened.network();
      const request = mergeOf(7, 32 * 1024 * 1024);
      request.record.fill(9, 1000, 33_000_000);
      const reply = await ask({ network, to, request });
      const record = reply.ok && reply.response.kind === "present" ? reply.response.record : [];
      expect(Buffer.compare(Buffer.from(record), request.record)).toBe(0);
    });

    it("refuses a larger request before it is sent", async () => {
      const options = { ...hasty, messageBytesMax: 100_000 };
      const { address: to, server } = await opened.server(answerMerged, options);
      const network = opened.network(options);
      expect(await ask({ network, to, request: mergeOf(1, 100_000) })).toEqual(refused);
      expect(await ask({ network, to, request: mergeOf(1, 99_000) })).toEqual(merged);
      expect(server.statistics.operations).toBe(1);
    });

    it("replaces a larger answer by a refusal", async () => {
      const options = { ...hasty, messageBytesMax: 100_000 };
      const { address: to } = await opened.server((request, _deadline, settle) => {
        settle({
          kind: "present",
          fence: noFence,
          record: new Uint8Array(request.kind === "find" ? 50 : 100_000),
        });
      }, options);
      const network = opened.network(options);
      const replies = await Promise.all([
        ask({ network, to, request: { ...find, partition: 1 } }),
        ask({ network, to, request: mergeOf(1) }),
        ask({ network, to, request: { ...find, partition: 2 } }),
      ]);
      expect(replies).toMatchObject([
        { ok: true, response: { kind: "present" } },
        { ok: true, response: { kind: "refused", code: "too-large" } },
        { ok: true, response: { kind: "present" } },
      ]);
    });

    it("ends the stream of a peer that ignores it, and no more than that", async () => {
      const { address: to, server } = await opened.server(answerMerged, {
        ...hasty,
        messageBytesMax: 100_000,
      });
      const careless = opened.network(hasty);
      const careful = opened.network(hasty);
      expect(await ask({ network: careful, to, request: mergeOf(1) })).toEqual(merged);
      expect(await ask({ network: careless, to, request: mergeOf(2, 200_000) })).toEqual(timeout);
      expect(await ask({ network: careful, to, request: mergeOf(3) })).toEqual(merged);
      expect(server.statistics.operations).toBe(2);
      expect(careful.totals().reconnects).toBe(0);
    });
  });

  describe("batches", () => {
    it("carry what was asked in one turn, up to 256 operations", async () => {
      const { address: to, server } = await opened.server(answerMerged);
      const network = opened.network();
      await ask({ network, to, request: mergeOf(1) });
      const before = network.totals().messagesSent;
      const waiting = Array.from({ length: 600 }, (_, id) =>
        ask({ network, to, request: mergeOf(id) }),
      );
      await Promise.all(waiting);
      expect(network.totals().messagesSent - before).toBe(3);
      expect(network.totals().operationsAnswered).toBe(601);
      expect(server.statistics).toMatchObject({ operations: 601, answers: 601 });
      expect(server.statistics.acks).toBeLessThan(10);
    });

    it("end at 64 KB, and a large operation travels alone", async () => {
      const { address: to } = await opened.server(answerMerged);
      const network = opened.network();
      await ask({ network, to, request: mergeOf(1) });
      const before = network.totals().messagesSent;
      const sizes = [30_000, 30_000, 30_000, 4, 70_000, 4];
      await Promise.all(sizes.map((size) => ask({ network, to, request: mergeOf(1, size) })));
      expect(network.totals().messagesSent - before).toBe(4);
    });

    it("are applied in the order in which they were asked", async () => {
      const order: number[] = [];
      const { address: to } = await opened.server((request, deadline, settle) => {
        if (request.kind === "merge") order.push(request.record.length);
        answerMerged(request, deadline, settle);
      });
      const network = opened.network();
      const sizes = [5, 70_000, 6, 7, 80_000, 8];
      await Promise.all(sizes.map((size) => ask({ network, to, request: mergeOf(1, size) })));
      expect(order).toEqual(sizes);
    });
  });

  describe("a peer that does not read its answers", () => {
    it("is not read either", async () => {
      const options = { ...defaultPeerOptions, receiveWindowBytes: 100_000 };
      const { port, server } = await opened.server((_request, _deadline, settle) => {
        settle({ kind: "present", fence: noFence, record: new Uint8Array(1_000_000) });
      }, options);
      const proxy = new TcpProxy(port);
      opened.add(() => proxy.close());
      const to = addressOf(await proxy.listen());
      const network = opened.network(options);
      await ask({ network, to, request: mergeOf(0) });
      proxy.holdBack = true;
      for (let id = 1; id <= 100; id++) {
        void ask({ network, to, request: mergeOf(id), timeoutMs: 1000 });
        await sleep(1);
      }
      await sleep(50);
      expect(server.statistics.operations).toBeLessThan(30);
    });
  });

  const find = {
    kind: "find" as const,
    stamp: { epoch: 1, tag: 2 },
    partition: 0,
    token: { high: 1, low: 2 },
    evenIfDamaged: false,
  };
});
