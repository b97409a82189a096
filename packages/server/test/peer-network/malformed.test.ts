import { connect } from "node:net";
import {
  Client,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  credentials,
  status,
} from "@grpc/grpc-js";
import { OperationBatch, ResultBatch, decodeAck, decodeBatch } from "@coterie/protocol";
import type { PeerAddress } from "@coterie/core";
import { afterEach, describe, expect, it } from "vitest";
import {
  Opened,
  addressOf,
  answerMerged,
  ask,
  clock,
  hasty,
  idOf,
  mergeOf,
  until,
  transports,
} from "./test-node.ts";

describe.each(transports)("over $name:", ({ transport }) => {
  const opened = new Opened(transport);
  afterEach(() => opened.close());

  const replicate = "/coterie.peer.v1.Peer/Replicate";
  const merged = { ok: true, response: { kind: "merged", changed: true } };
  const asIs = (bytes: Buffer): Buffer => bytes;

  /** A peer's stream that sends whatever it is told. */
  function rawStream(to: PeerAddress) {
    const client = new Client(to, credentials.createInsecure());
    opened.add(() => client.close());
    const call = client.makeBidiStreamRequest<Buffer, Buffer>(replicate, asIs, asIs);
    const acks: Buffer[] = [];
    call.on("data", (ack: Buffer) => acks.push(ack));
    const ended = new Promise<status>((resolve) => {
      call.on("error", () => {});
      call.on("status", ({ code }) => resolve(code));
    });
    opened.add(() => call.cancel());
    return { call, acks, ended };
  }

  /** A server that answers each batch with whatever bytes `respond` makes of it. */
  async function rawServer(
    respond: (batch: Buffer, call: ServerDuplexStream<Buffer, Buffer>) => void,
  ): Promise<PeerAddress> {
    const server = new Server();
    const method = {
      path: replicate,
      requestStream: true,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    } as const;
    server.addService(
      { Replicate: method },
      {
        Replicate: (call: ServerDuplexStream<Buffer, Buffer>) => {
          call.on("data", (batch: Buffer) => respond(batch, call));
          call.on("end", () => call.end());
          call.on("error", () => {});
        },
      },
    );
    opened.add(() => server.forceShutdown());
    return new Promise((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(addressOf(port));
        else reject(error);
      });
    });
  }

  function batchOf(...ids: readonly number[]): Buffer {
    const batch = new OperationBatch();
    for (const id of ids) batch.add(id, clock.monotonicMs() + 10_000, mergeOf(id));
    return Buffer.from(batch.take(clock.monotonicMs()));
  }

  /**
   * Makes the first operation's request one of a kind that nobody knows. The byte that says its
   * kind is searched by what changing it does: times in the batch may hold the same byte.
   */
  function withUnknownFirst(batch: Buffer): Buffer {
    for (let at = batch.indexOf(0x1a); at >= 0; at = batch.indexOf(0x1a, at + 1)) {
      const changed = Buffer.from(batch);
      changed[at] = 0x7a;
      const decoded = decodeBatch(changed);
      if (!decoded.ok || decoded.operations.length !== 2) continue;
      const [first, second] = decoded.operations;
      if (first?.id === 1 && first.request === undefined && second?.request !== undefined) {
        return changed;
      }
    }
    throw new Error("no byte of the batch names the first request's kind");
  }

  function ackOf(...ids: readonly number[]): Buffer {
    const batch = new ResultBatch();
    for (const id of ids) batch.add(id, { kind: "merged", changed: true });
    return Buffer.from(batch.take());
  }

  function idsIn(batch: Buffer): readonly number[] {
    const decoded = decodeBatch(batch);
    return decoded.ok ? decoded.operations.map(({ id }) => id) : [];
  }

  describe("a peer that sends what is no batch", () => {
    const whole = batchOf(1, 2);
    it.each([
      ["garbage", Buffer.from("what is this?")],
      ["nothing", Buffer.alloc(0)],
      ["a batch that is cut", whole.subarray(0, whole.length - 3)],
      ["a batch with more behind it", Buffer.concat([whole, Buffer.from([0x12, 99])])],
    ])("%s: its stream ends, nothing of it is carried out, and others go on", async (_, bytes) => {
      const received: number[] = [];
      const { address: to, server } = await opened.server((request, deadline, settle) => {
        received.push(idOf(request));
        answerMerged(request, deadline, settle);
      });
      const network = opened.network();
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(merged);
      const { call, ended } = rawStream(to);
      call.write(bytes);
      expect(await ended).toBe(status.INVALID_ARGUMENT);
      expect(await ask({ network, to, request: mergeOf(2) })).toEqual(merged);
      expect(received).toEqual([1, 2]);
      expect(server.statistics).toMatchObject({ malformed: 1, streams: 1 });
      expect(network.totals().connects).toBe(1);
    });

    it("one malformed operation is refused, and the others are carried out", async () => {
      const { address: to } = await opened.server(answerMerged);
      const { call, acks } = rawStream(to);
      call.write(withUnknownFirst(batchOf(1, 2)));
      await until(() => acks.length > 0);
      expect(decodeAck(Buffer.concat(acks))).toMatchObject({
        results: [
          { id: 1, response: { kind: "refused", code: "malformed", outcome: "refused" } },
          { id: 2, response: { kind: "merged" } },
        ],
      });
    });

    it("an operation after its deadline is refused, and not carried out", async () => {
      const received: number[] = [];
      const { address: to, server } = await opened.server((request, deadline, settle) => {
        received.push(idOf(request));
        answerMerged(request, deadline, settle);
      });
      const { call, acks } = rawStream(to);
      const batch = new OperationBatch();
      call.write(Buffer.from(batch.take(5000)));
      batch.add(1, 4999, mergeOf(1));
      batch.add(2, 5000 + 10_000, mergeOf(2));
      call.write(Buffer.from(batch.take(5000)));
      await until(() => acks.length > 1);
      expect(decodeAck(Buffer.concat(acks))).toMatchObject({
        results: [
          { id: 1, response: { kind: "refused", code: "expired", outcome: "refused" } },
          { id: 2, response: { kind: "merged" } },
        ],
      });
      expect(received).toEqual([2]);
      expect(server.statistics.expired).toBe(1);
    });

    it("bytes that are not even HTTP/2: the node lives", async () => {
      const { address: to, port, server } = await opened.server(answerMerged);
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.resume();
      socket.write(Buffer.alloc(10_000, 0xa5));
      await new Promise((resolve) => socket.once("close", resolve));
      const network = opened.network();
      expect(await ask({ network, to, request: mergeOf(2) })).toEqual(merged);
      expect(server.statistics.streams).toBe(1);
    });
  });

  describe("a peer that answers", () => {
    it("what nobody asked: it is ignored, and the right answers arrive", async () => {
      const to = await rawServer((batch, call) => {
        const ids = idsIn(batch);
        call.write(ids.length === 0 ? ackOf() : ackOf(77, ...ids, ...ids, 0xffff_ffff));
      });
      const network = opened.network(hasty);
      const replies = await Promise.all(
        [1, 2].map((id) => ask({ network, to, request: mergeOf(id) })),
      );
      expect(replies).toEqual([merged, merged]);
      await until(() => network.totals().answersUnknown === 4);
      expect(network.totals()).toMatchObject({ connects: 1, operationsAnswered: 2, malformed: 0 });
    });

    it("garbage: what waits has failed, and another stream is opened", async () => {
      let batches = 0;
      const to = await rawServer((batch, call) => {
        const ids = idsIn(batch);
        if (ids.length > 0) batches++;
        call.write(batches === 1 ? Buffer.from("garbage") : ackOf(...ids));
      });
      const network = opened.network(hasty);
      const waiting = [1, 2].map((id) => ask({ network, to, request: mergeOf(id) }));
      const timeout = { ok: false, reason: "timeout" };
      expect(await Promise.all(waiting)).toEqual([timeout, timeout]);
      batches = 2;
      await until(() => network.isReachable(to));
      expect(await ask({ network, to, request: mergeOf(3) })).toEqual(merged);
      expect(network.totals()).toMatchObject({ malformed: 1, reconnects: 1, pendingOperations: 0 });
    });

    it("in a way that is not understood: the outcome is unknown", async () => {
      const to = await rawServer((batch, call) => {
        const [id] = idsIn(batch);
        call.write(id === undefined ? ackOf() : Buffer.from([0x0a, 7, 0x0d, id, 0, 0, 0, 0x5a, 0]));
      });
      const network = opened.network(hasty);
      expect(await ask({ network, to, request: mergeOf(1) })).toMatchObject({
        ok: true,
        response: { kind: "refused", code: "internal", outcome: "unknown" },
      });
    });

    it("that it knows no such method: it is refused", async () => {
      const server = new Server();
      opened.add(() => server.forceShutdown());
      const port = await new Promise<number>((resolve) => {
        server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (_, bound) =>
          resolve(bound),
        );
      });
      const network = opened.network(hasty);
      const reply = await ask({ network, to: addressOf(port), request: mergeOf(1) });
      expect(reply).toEqual({ ok: false, reason: "refused" });
    });
  });
});
