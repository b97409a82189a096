import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperationBatch, ResultBatch, decodeAck, decodeBatch } from "../src/index.ts";
import { anyRequest, anyResponse } from "./arbitraries.ts";

/** A batch of the given operation, written out: the operation's frame, then its content. */
function batchOf(...operation: readonly number[]): Uint8Array {
  return Uint8Array.of(0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, operation.length, ...operation);
}

const idAndDeadline = [0x0d, 7, 0, 0, 0, 0x11, 0, 0, 0, 0, 0, 0, 0, 0];
const malformed = { ok: false, error: "malformed" };

const shortWriteId = [0x42, 15, ...Array.from({ length: 15 }, () => 1)];

describe("batches that are no batches", () => {
  it.each([
    ["nothing, not even the time of sending", Uint8Array.of()],
    ["the time of sending is cut", Uint8Array.of(0x09, 0, 0, 0)],
    ["the time of sending is infinite", Uint8Array.of(0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f)],
    ["the time of sending is a varint", Uint8Array.of(0x08, 1)],
    ["an operation is longer than the batch", Uint8Array.of(...batchOf(), 0x12, 200, 1)],
    ["an operation has no id", batchOf(...idAndDeadline.slice(5))],
    ["an operation has no deadline", batchOf(...idAndDeadline.slice(0, 5))],
    ["an operation's deadline is not a number", batchOf(0x11, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)],
    ["field 0", Uint8Array.of(...batchOf(), 0x02, 0)],
    ["an unknown field that is not to be ignored", Uint8Array.of(...batchOf(), 0x18, 1)],
    ["a group", Uint8Array.of(...batchOf(), 0x83, 0x02, 0x84, 0x02)],
    ["an overlong length", Uint8Array.of(...batchOf(), 0x12, 0x80, 0x00)],
    ["a length beyond 32 bits", Uint8Array.of(...batchOf(), 0x12, 255, 255, 255, 255, 127)],
    ["a varint without end", Uint8Array.of(...batchOf(), 0x12, 255, 255, 255, 255, 255, 255, 1)],
  ])("%s", (_, bytes) => {
    expect(decodeBatch(bytes)).toEqual(malformed);
  });

  it("too many operations, each of which would take memory", () => {
    const batch = new OperationBatch();
    const request = {
      kind: "merge" as const,
      fence: 0,
      stamp: { epoch: 0, tag: 0 },
      record: new Uint8Array(),
    };
    for (let id = 0; id < 1025; id++) batch.add(id, 1, request);
    expect(decodeBatch(batch.take(0))).toEqual(malformed);
  });
});

describe("operations that are refused alone: their frame is whole", () => {
  it.each([
    ["no request", []],
    ["of an unknown kind", [0x52, 0]],
    ["a record longer than the operation", [0x1a, 2, 0x1a, 9]],
    ["a record that is a varint", [0x1a, 2, 0x18, 1]],
    ["an unknown field that is not to be ignored", [0x1a, 2, 0x28, 1]],
    ["a boolean of 2", [0x2a, 2, 0x30, 2]],
    ["a bucket that is not UTF-8", [0x22, 3, 0x1a, 1, 0xff]],
    ["a write id of 15 bytes", [0x3a, 17, ...shortWriteId]],
    ["half a token", [0x32, 5, 0x2d, 1, 0, 0, 0]],
    ["a hint for nobody", [0x7a, 2, 0x08, 1]],
    ["a hint for a name that is none", [0x7a, 3, 0x1a, 1, 0x21]],
    ["a hint whose record is a varint", [0x7a, 5, 0x1a, 1, 0x61, 0x20, 1]],
    ["a read of hints with a field too many", [0x82, 0x01, 2, 0x28, 1]],
    ["an announcement of nobody", [0x4a, 2, 0x20, 1]],
    ["an announcement by a name that is none", [0x4a, 8, 0x0a, 6, 0x0a, 1, 0x21, 0x12, 1, 0x61]],
  ])("%s", (_, request) => {
    const whole = batchOf(...idAndDeadline, 0x22, 0);
    const decoded = decodeBatch(
      Uint8Array.of(...batchOf(...idAndDeadline, ...request), ...whole.subarray(9)),
    );
    expect(decoded).toMatchObject({
      ok: true,
      operations: [
        { id: 7, request: undefined },
        { id: 7, request: { kind: "read" } },
      ],
    });
  });

  it("a hint for a proper name is not among them", () => {
    const decoded = decodeBatch(batchOf(...idAndDeadline, 0x7a, 3, 0x1a, 1, 0x61));
    expect(decoded).toMatchObject({ operations: [{ request: { kind: "hint", target: "a" } }] });
  });

  it("an announcement by a proper name is not among them", () => {
    const decoded = decodeBatch(
      batchOf(...idAndDeadline, 0x4a, 8, 0x0a, 6, 0x0a, 1, 0x61, 0x12, 1, 0x61),
    );
    expect(decoded).toMatchObject({ operations: [{ request: { kind: "announce" } }] });
  });
});

describe("a newer peer", () => {
  it("may add fields from 32 on, of every wire type", () => {
    const varint = [0x80, 0x02, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
    const fixed64 = [0x81, 0x02, 1, 2, 3, 4, 5, 6, 7, 8];
    const bytes = [0x92, 0x02, 2, 1, 2];
    const fixed32 = [0x85, 0x02, 1, 2, 3, 4];
    const added = [...varint, ...fixed64, ...bytes, ...fixed32];
    const request = [0x22, added.length, ...added];
    const decoded = decodeBatch(
      Uint8Array.of(...batchOf(...idAndDeadline, ...request, ...added), ...added),
    );
    expect(decoded).toMatchObject({ ok: true, operations: [{ request: { kind: "read" } }] });
  });

  it("may refuse for a reason of its own", () => {
    const ack = Uint8Array.of(0x0a, 11, 0x0d, 7, 0, 0, 0, 0x52, 4, 0x08, 99, 0x10, 1);
    expect(decodeAck(ack)).toMatchObject({
      results: [{ id: 7, response: { kind: "refused", code: "internal", outcome: "unknown" } }],
    });
  });

  it("may answer in a way that is not understood", () => {
    const ack = Uint8Array.of(0x0a, 7, 0x0d, 7, 0, 0, 0, 0x5a, 0);
    expect(decodeAck(ack)).toEqual({ ok: true, results: [{ id: 7, response: undefined }] });
  });
});

describe("any bytes at all", () => {
  const requests = fc.array(anyRequest, { minLength: 1, maxLength: 3 });
  const responses = fc.array(anyResponse, { minLength: 1, maxLength: 3 });

  function batchBytes(sent: Parameters<OperationBatch["add"]>[2][]): Uint8Array {
    const batch = new OperationBatch();
    for (const [id, request] of sent.entries()) batch.add(id, 1000, request);
    return batch.take(0);
  }

  function ackBytes(sent: Parameters<ResultBatch["add"]>[1][]): Uint8Array {
    const batch = new ResultBatch();
    for (const [id, response] of sent.entries()) batch.add(id, response);
    return batch.take();
  }

  it("are decoded or refused, without a throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect([true, false]).toContain(decodeBatch(bytes).ok);
        expect([true, false]).toContain(decodeAck(bytes).ok);
      }),
    );
  });

  it("a message that is cut is malformed, unless it is cut between its parts", () => {
    fc.assert(
      fc.property(requests, responses, fc.nat(), (sent, answers, seed) => {
        const batch = batchBytes(sent);
        const cut = decodeBatch(batch.subarray(0, seed % batch.length));
        expect(cut.ok && cut.operations.length === sent.length).toBe(false);
        const ack = ackBytes(answers);
        const cutAck = decodeAck(ack.subarray(0, seed % ack.length));
        expect(cutAck.ok && cutAck.results.length === answers.length).toBe(false);
      }),
    );
  });

  it("a message with changed bytes is decoded or refused, without a throw", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1 });
    fc.assert(
      fc.property(requests, responses, changes, (sent, answers, changed) => {
        const batch = batchBytes(sent);
        const ack = ackBytes(answers);
        for (const [at, value] of changed) {
          batch[at % batch.length] = value;
          ack[at % ack.length] = value;
        }
        expect([true, false]).toContain(decodeBatch(batch).ok);
        expect([true, false]).toContain(decodeAck(ack).ok);
      }),
    );
  });
});

describe("the records of a batch", () => {
  it("are views of it: nothing is copied on the way in", () => {
    const batch = new OperationBatch();
    const stamp = { epoch: 1, tag: 1 };
    for (let id = 0; id < 10; id++) {
      batch.add(id, 1, { kind: "merge", fence: 0, stamp, record: new Uint8Array(100) });
    }
    const bytes = batch.take(0);
    const decoded = decodeBatch(bytes);
    const buffers = (decoded.ok ? decoded.operations : []).map(({ request }) =>
      request?.kind === "merge" ? request.record.buffer : undefined,
    );
    expect(buffers.length).toBe(10);
    expect(buffers.every((buffer) => buffer === bytes.buffer)).toBe(true);
  });
});
