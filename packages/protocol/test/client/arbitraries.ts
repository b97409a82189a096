import { type WriteId, parseWriteId } from "@coterie/core";
import * as fc from "fast-check";
import type {
  ClusterDescription,
  KvOperation,
  KvOperationReply,
  KvReply,
  KvRequest,
  KvScan,
  KvScanReply,
} from "../../src/index.ts";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const bytes = fc.uint8Array({ maxLength: 300 });
const text = fc.string({ maxLength: 40, unit: "grapheme" });
const bucket = fc.stringMatching(/^[a-z0-9._-]{0,64}$/u);
const time = fc.double({ min: 0, max: 1e15, noNaN: true }).map((each) => each + 0);
const writeId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((id) => parseWriteId(Buffer.from(id).toString("hex")) as WriteId);
const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });
/** Not empty: an empty one is none. */
const textOrNone = maybe(text.filter((each) => each !== ""));

const options = { timeoutMs: maybe(u32), strict: maybe(fc.boolean()) };
const target = { bucket, key: bytes };

/** A get, put or delete. */
export const anyKvOperation: fc.Arbitrary<KvOperation> = fc.oneof(
  fc.record({
    kind: fc.constant("get" as const),
    ...target,
    ...options,
    r: maybe(u32),
    pr: maybe(u32),
    allSiblings: fc.boolean(),
    maxStaleMs: u32,
  }),
  fc.record({
    kind: fc.constant("put" as const),
    ...target,
    ...options,
    value: bytes,
    context: textOrNone,
    contentType: text,
    w: maybe(u32),
    pw: maybe(u32),
    ttlMs: maybe(fc.oneof(time, fc.constant(Infinity))),
    expiresAtMs: maybe(time),
    writeId: maybe(writeId),
    returnBody: fc.boolean(),
    ifAbsent: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("delete" as const),
    ...target,
    ...options,
    context: textOrNone,
    w: maybe(u32),
    pw: maybe(u32),
    writeId: maybe(writeId),
  }),
);

export const anyKvScan: fc.Arbitrary<KvScan> = fc.record({
  kind: fc.constant("scan" as const),
  bucket,
  prefix: bytes,
  cursor: textOrNone,
  limit: u32,
  tombstones: fc.boolean(),
});

/** Any request of a Pipe. */
export const anyKvRequest: fc.Arbitrary<KvRequest> = fc.oneof(
  anyKvOperation,
  anyKvScan,
  fc.constant<KvRequest>({ kind: "cancel" }),
);

const acks = fc.record({ primaries: u32, fallbacks: u32, required: u32 });
const siblings = fc.array(
  fc.record({
    value: bytes,
    contentType: text,
    dot: text,
    writtenAtMs: time,
    expiresAtMs: time,
  }),
  { maxLength: 4 },
);

export const anyKvOperationReply: fc.Arbitrary<KvOperationReply> = fc.oneof(
  fc.record({ kind: fc.constant("get" as const), siblings, context: textOrNone, acks }),
  fc.record({
    kind: fc.constant("write" as const),
    context: textOrNone,
    siblings: u32,
    acks,
    body: siblings,
  }),
  fc.record({
    kind: fc.constant("failure" as const),
    code: text,
    message: text,
    isOutcomeUnknown: fc.boolean(),
    acks,
    isRetryable: fc.boolean(),
    hint: text,
  }),
);

const anyKvScanReply: fc.Arbitrary<KvScanReply> = fc.record({
  kind: fc.constant("scan" as const),
  items: fc.array(fc.record({ key: bytes, context: textOrNone, siblings: u32, bytes: time }), {
    maxLength: 9,
  }),
  cursor: textOrNone,
});

/** Any reply of a Pipe. */
export const anyKvReply: fc.Arbitrary<KvReply> = fc.oneof(anyKvOperationReply, anyKvScanReply);

/** An id that a Pipe may carry. */
export const anyPipeId: fc.Arbitrary<number> = fc.integer({ min: 1, max: 0xffff_ffff });

const u6 = fc.integer({ min: 0, max: 9 });
export const anyClusterDescription: fc.Arbitrary<ClusterDescription> = fc
  .record({
    epoch: u32,
    node: text,
    members: fc.array(fc.record({ id: text, grpc: text, http: text, host: text, zone: text }), {
      minLength: 1,
      maxLength: 300,
    }),
    buckets: fc.array(
      fc.record({ name: text, policy: text, n: u6, r: u6, w: u6, pr: u6, pw: u6 }),
      { maxLength: 5 },
    ),
    partitions: fc.array(fc.array(fc.nat(), { maxLength: 9 }), { maxLength: 40 }),
    hash: text,
  })
  .map(({ partitions, ...rest }) => ({
    ...rest,
    partitions: partitions.map((owners) => owners.map((index) => index % rest.members.length)),
  }));
