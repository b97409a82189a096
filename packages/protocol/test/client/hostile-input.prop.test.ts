import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  PipeReplyBatch,
  PipeRequestBatch,
  decodeBatchReply,
  decodeBatchRequest,
  decodeClusterDescription,
  decodeFailure,
  decodeGetReply,
  decodeKvRequest,
  decodePipeReplies,
  decodePipeRequests,
  decodeScanReply,
  decodeWriteReply,
  encodeBatchRequest,
  encodeClusterDescription,
} from "../../src/index.ts";
import { anyKvReply, anyKvRequest, anyPipeId } from "./arbitraries.ts";

const malformed = { ok: false, error: "malformed" };
const id = [0x0d, 7, 0, 0, 0];

/** A PipeRequests or PipeReplies with one element: its frame, then its content. */
function oneOf(...content: readonly number[]): Uint8Array {
  return Uint8Array.of(0x0a, ...lengthOf(content.length), ...content);
}

function lengthOf(length: number): readonly number[] {
  return length < 128 ? [length] : [(length & 127) | 128, length >> 7];
}

/** A field with `length` bytes. */
function filled(tag: number, length: number, byte: number = 97): readonly number[] {
  return [tag, ...lengthOf(length), ...Array.from({ length }, () => byte)];
}

function nested(tag: number, content: readonly number[]): readonly number[] {
  return [tag, ...lengthOf(content.length), ...content];
}

describe("messages that end a Pipe: no id can be answered", () => {
  it.each([
    ["a request is longer than the message", Uint8Array.of(0x0a, 200, 1)],
    ["a request has no id", oneOf(0x12, 0)],
    ["a request's id is zero", oneOf(0x0d, 0, 0, 0, 0, 0x12, 0)],
    ["a request's id is a varint", oneOf(0x08, 1, 0x12, 0)],
    ["field 0", Uint8Array.of(0x02, 0)],
    ["an unknown field that is not to be ignored", Uint8Array.of(0x10, 1)],
    ["a group", Uint8Array.of(0x83, 0x02, 0x84, 0x02)],
    ["an overlong length", Uint8Array.of(0x0a, 0x80, 0x00)],
    ["a length beyond 32 bits", Uint8Array.of(0x0a, 255, 255, 255, 255, 127)],
    ["a varint without end", Uint8Array.of(0x0a, 255, 255, 255, 255, 255, 255, 1)],
  ])("%s", (_, bytes) => {
    expect(decodePipeRequests(bytes)).toEqual(malformed);
  });

  it("too many requests, each of which would take memory", () => {
    const batch = new PipeRequestBatch();
    for (let at = 1; at <= 1025; at++) batch.add(at, { kind: "cancel" });
    expect(decodePipeRequests(batch.take())).toEqual(malformed);
  });

  it("too many replies", () => {
    const bytes = new Uint8Array(1025 * 7);
    for (let at = 0; at < bytes.length; at += 7) bytes.set([0x0a, 5, ...id], at);
    expect(decodePipeReplies(bytes)).toEqual(malformed);
  });

  it("an id that protobuf cannot tell from none is not sent", () => {
    expect(() => new PipeRequestBatch().add(0, { kind: "cancel" })).toThrow("begin with 1");
    const failure = {
      kind: "scan" as const,
      items: [],
      cursor: undefined,
    };
    expect(() => new PipeReplyBatch().add(0, failure)).toThrow("begin with 1");
  });
});

const aKey = [0x12, 1, 97];

describe("requests that are refused alone: their frame is whole", () => {
  it.each([
    ["no request", [], "malformed"],
    ["of an unknown kind", [0x3a, 0], "malformed"],
    ["a key longer than the request", nested(0x12, [0x12, 9]), "malformed"],
    ["a key that is a varint", nested(0x12, [0x10, 1]), "malformed"],
    ["a flag that is neither true nor false", nested(0x12, [...aKey, 0x20, 2]), "malformed"],
    ["an option the node does not know", nested(0x12, [...aKey, 0x38, 2]), "malformed"],
    ["r beyond 32 bits", nested(0x12, [0x18, 255, 255, 255, 255, 31]), "malformed"],
    ["a negative r", nested(0x12, [0x18, ...filled(0, 9, 255).slice(2), 1]), "malformed"],
    ["a bucket that is no UTF-8", nested(0x12, [0x0a, 1, 0xff]), "a bucket's name"],
    ["a bucket's name too long", nested(0x12, filled(0x0a, 65)), "a bucket's name"],
    ["a key too long", nested(0x12, filled(0x12, 2049)), "a key has 1 to 2048"],
    ["a prefix too long", nested(0x2a, filled(0x12, 2049)), "a prefix has"],
    ["a cursor too long", nested(0x2a, filled(0x1a, 4097)), "a cursor is"],
    ["a content type too long", nested(0x1a, filled(0x2a, 256)), "a content type"],
    ["a write id too short", nested(0x1a, filled(0x52, 15)), "a write id has 16"],
    ["a write id too long", nested(0x22, filled(0x3a, 17)), "a write id has 16"],
    ["a context too long", nested(0x1a, filled(0x22, 4097)), "a context is text"],
    ["a context of random bytes", nested(0x22, filled(0x1a, 9, 0xfe)), "a context is text"],
    ["a get and a put", [...nested(0x12, aKey), ...nested(0x1a, aKey)], "two requests"],
    ["a get, and a cancel of itself", [...nested(0x12, aKey), 0x32, 0], "two requests"],
  ])("%s", (_, content, message) => {
    const decoded = decodePipeRequests(oneOf(...id, ...content));
    const refused = decoded.ok ? decoded.requests : [];
    expect(refused).toMatchObject([{ id: 7, request: undefined }]);
    expect(refused[0]?.problem?.message).toContain(message);
  });

  it("says bad-context of a context, and leaves the requests beside it alone", () => {
    const bad = [...id, ...nested(0x22, filled(0x1a, 9, 0xfe))];
    const good = [0x0d, 8, 0, 0, 0, ...nested(0x12, aKey)];
    const decoded = decodePipeRequests(Uint8Array.of(...oneOf(...bad), ...oneOf(...good)));
    expect(decoded).toMatchObject({
      ok: true,
      requests: [
        { id: 7, request: undefined, problem: { code: "bad-context" } },
        { id: 8, request: { kind: "get" }, problem: undefined },
      ],
    });
  });

  it("an unknown field from 32 on is skipped", () => {
    const decoded = decodePipeRequests(oneOf(...id, ...nested(0x12, [...aKey, 0x80, 0x02, 1])));
    expect(decoded).toMatchObject({ ok: true, requests: [{ request: { kind: "get" } }] });
  });
});

describe("what a newer node says", () => {
  it("is understood as far as it can be", () => {
    const newer = [...id, ...nested(0x12, [0x12, 1, 97, 0x28, 9, 0x32, 1, 0]), 0x58, 1];
    expect(decodePipeReplies(oneOf(...newer))).toMatchObject({
      ok: true,
      replies: [{ id: 7, reply: { kind: "get", context: "a", siblings: [] } }],
    });
  });

  it("is an answer, even if its kind is not known", () => {
    expect(decodePipeReplies(oneOf(...id, 0x3a, 0))).toEqual({
      ok: true,
      replies: [{ id: 7, reply: undefined }],
    });
  });
});

describe("messages of unary calls", () => {
  it("are refused with what is wrong", () => {
    const long = Uint8Array.from(filled(0x12, 2049));
    expect(decodeKvRequest("get", long)).toMatchObject({
      ok: false,
      problem: { code: "bad-request", message: "a key has 1 to 2048 bytes" },
    });
    expect(decodeKvRequest("put", Uint8Array.of(0xff))).toMatchObject({
      ok: false,
      problem: { code: "bad-request" },
    });
  });

  it("a batch has at most 1000 operations, each with one meaning", () => {
    const get = {
      kind: "get" as const,
      bucket: "b",
      key: Uint8Array.of(1),
      r: undefined,
      pr: undefined,
      strict: undefined,
      timeoutMs: undefined,
      allSiblings: false,
      maxStaleMs: 0,
    };
    const operations = Array.from({ length: 1001 }, () => get);
    expect(decodeBatchRequest(encodeBatchRequest(operations.slice(1))).ok).toBe(true);
    expect(decodeBatchRequest(encodeBatchRequest(operations))).toMatchObject({
      ok: false,
      problem: { message: "a batch has at most 1000 operations" },
    });
    expect(decodeBatchRequest(oneOf()).ok).toBe(false);
    expect(decodeBatchRequest(oneOf(...nested(0x0a, aKey), ...nested(0x12, aKey))).ok).toBe(false);
    expect(decodeBatchRequest(oneOf(...nested(0x22, aKey))).ok).toBe(false);
    expect(decodeBatchReply(oneOf())).toBeUndefined();
  });

  it("a description that names members it does not have is malformed", () => {
    const bytes = encodeClusterDescription({
      epoch: 1,
      node: "n1",
      members: [],
      buckets: [],
      partitions: [[0]],
      hash: "md5",
    });
    expect(decodeClusterDescription(bytes)).toBeUndefined();
    const crowded = Uint8Array.of(0x2a, 67, 0x0a, 65, ...Array.from({ length: 65 }, () => 0));
    expect(decodeClusterDescription(crowded)).toBeUndefined();
  });
});

const decoders: readonly (readonly [string, (bytes: Uint8Array) => unknown])[] = [
  ["PipeRequests", decodePipeRequests],
  ["PipeReplies", decodePipeReplies],
  ["GetRequest", (bytes) => decodeKvRequest("get", bytes)],
  ["PutRequest", (bytes) => decodeKvRequest("put", bytes)],
  ["DeleteRequest", (bytes) => decodeKvRequest("delete", bytes)],
  ["ScanRequest", (bytes) => decodeKvRequest("scan", bytes)],
  ["BatchRequest", decodeBatchRequest],
  ["BatchReply", decodeBatchReply],
  ["GetReply", decodeGetReply],
  ["WriteReply", decodeWriteReply],
  ["ScanReply", decodeScanReply],
  ["Failure", decodeFailure],
  ["ClusterDescription", decodeClusterDescription],
];

describe("no bytes make a decoder throw", () => {
  it.each(decoders)("%s", (_, decode) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(() => decode(bytes)).not.toThrow();
      }),
    );
  });

  const requests = fc.array(fc.tuple(anyPipeId, anyKvRequest), { minLength: 1, maxLength: 4 });
  const replies = fc.array(fc.tuple(anyPipeId, anyKvReply), { minLength: 1, maxLength: 4 });

  it("a message that is cut is malformed, unless it is cut between its parts", () => {
    fc.assert(
      fc.property(requests, replies, fc.nat(), (asked, said, seed) => {
        const requestBatch = new PipeRequestBatch();
        for (const [at, request] of asked) requestBatch.add(at, request);
        const sent = requestBatch.take();
        const cut = decodePipeRequests(sent.subarray(0, seed % sent.length));
        expect(cut.ok && cut.requests.length === asked.length).toBe(false);
        const replyBatch = new PipeReplyBatch();
        for (const [at, reply] of said) replyBatch.add(at, reply);
        const answered = replyBatch.take();
        const cutReplies = decodePipeReplies(answered.subarray(0, seed % answered.length));
        expect(cutReplies.ok && cutReplies.replies.length === said.length).toBe(false);
      }),
    );
  });

  it("a message with changed bytes is decoded or refused", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1 });
    fc.assert(
      fc.property(requests, replies, changes, (asked, said, changed) => {
        const requestBatch = new PipeRequestBatch();
        for (const [at, request] of asked) requestBatch.add(at, request);
        const replyBatch = new PipeReplyBatch();
        for (const [at, reply] of said) replyBatch.add(at, reply);
        for (const bytes of [requestBatch.take(), replyBatch.take()]) {
          for (const [at, value] of changed) bytes[at % bytes.length] = value;
          expect([true, false]).toContain(decodePipeRequests(bytes).ok);
          expect([true, false]).toContain(decodePipeReplies(bytes).ok);
        }
      }),
    );
  });
});

/** As a socket gives it: a Node Buffer, whose own `slice` would not copy. */
const received = (batch: { take(): Uint8Array }): Buffer => Buffer.from(batch.take());

describe("the byte strings of a message", () => {
  it("are views of what a node reads: nothing is copied on the way in", () => {
    const batch = new PipeRequestBatch();
    const absent = { context: undefined, w: undefined, pw: undefined, writeId: undefined };
    for (let at = 1; at <= 10; at++) {
      const key = new Uint8Array(100);
      const given = { kind: "delete", bucket: "b", key, strict: undefined } as const;
      batch.add(at, { ...given, ...absent, timeoutMs: undefined });
    }
    const message = received(batch);
    const decoded = decodePipeRequests(message);
    const keys = (decoded.ok ? decoded.requests : []).map(({ request }) =>
      request?.kind === "delete" ? request.key : undefined,
    );
    expect(keys.length).toBe(10);
    expect(keys.every((key) => key?.buffer === message.buffer)).toBe(true);
    expect(keys.every((key) => key?.constructor === Uint8Array)).toBe(true);
  });

  it("are copies of what a client reads: a value that it keeps does not pin the others", () => {
    const batch = new PipeReplyBatch();
    const sibling = {
      value: new Uint8Array(100),
      contentType: "",
      dot: "0a:1",
      writtenAtMs: 0,
      expiresAtMs: 0,
    };
    const acks = { primaries: 2, fallbacks: 0, required: 2 };
    for (let at = 1; at <= 10; at++) {
      batch.add(at, { kind: "get", siblings: [sibling], context: undefined, acks });
    }
    const decoded = decodePipeReplies(received(batch));
    const values = (decoded.ok ? decoded.replies : []).map(({ reply }) =>
      reply?.kind === "get" ? reply.siblings[0]?.value : undefined,
    );
    expect(values.map((value) => value?.buffer.byteLength)).toEqual(
      Array.from({ length: 10 }, () => 100),
    );
  });
});
