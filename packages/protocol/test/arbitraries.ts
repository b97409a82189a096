import {
  type Announcement,
  type Fence,
  type MembershipMessage,
  type News,
  type NodeId,
  type PeerAddress,
  type WriteId,
  parseWriteId,
} from "@coterie/core";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import * as fc from "fast-check";
import { raiseProblemsInWireOrder } from "../src/reaping-codec.ts";
import { refusalsInWireOrder } from "../src/refusals.ts";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const bytes = fc.uint8Array({ maxLength: 300 });
const text = fc.string({ maxLength: 40, unit: "grapheme" });
const halves = fc.record({ high: u32, low: u32 });
const entries = fc.array(fc.record({ token: halves, digest: halves }), { maxLength: 9 });
const fence: fc.Arbitrary<Fence> = fc.record({ raised: u32, reaped: u32 });
const stamp = fc.record({ epoch: u32, tag: u32 });
const nodeId = fc.stringMatching(/^[a-z0-9._-]{1,64}$/u).map((id) => id as NodeId);
const address = text.filter((each) => each !== "").map((each) => each as PeerAddress);
const writeId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((id) => parseWriteId(Buffer.from(id).toString("hex")) as WriteId);
const mode = fc.constantFrom("strict" as const, "sloppy" as const);
const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });

const announcement: fc.Arbitrary<Announcement> = fc.record({
  member: fc.record({
    id: nodeId,
    address,
    http: text,
    grpc: text,
    resp: text,
    host: text,
    zone: text,
    weight: u32,
    nonce: text,
  }),
  settingsDigest: text,
  documentDigest: text,
  isFormed: fc.boolean(),
  heard: fc.array(fc.record({ id: nodeId, nonce: text }), { maxLength: 5 }),
  remark: text,
});

const id32 = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((id) => Buffer.from(id).toString("hex"));
const ballot = fc.record({ round: u32, proposer: id32 });

const news: fc.Arbitrary<News> = fc.record({
  id: nodeId,
  state: fc.constantFrom("alive", "suspect", "dead", "left"),
  incarnation: u32,
  by: nodeId,
  ageMs: u32,
});

const membershipMessage: fc.Arbitrary<MembershipMessage> = fc.record({
  from: nodeId,
  to: nodeId,
  incarnation: u32,
  epoch: u32,
  news: fc.array(news, { maxLength: 4 }),
  body: fc.oneof(
    fc.record({ kind: fc.constantFrom("ping", "ack", "nack"), sequence: u32 }),
    fc.record({ kind: fc.constant("ping-request" as const), sequence: u32, target: nodeId }),
    fc.constant({ kind: "gossip" as const }),
    fc.record({ kind: fc.constant("compare" as const), digest: u32 }),
    fc.record({
      kind: fc.constant("table" as const),
      entries: fc.array(news, { maxLength: 4 }),
      isQuestion: fc.boolean(),
    }),
  ),
});

const rate = fc.double({ min: 0, max: 1e9, noNaN: true }).map((each) => each + 0);
const hotKey = fc.record({ bucket: text, key: bytes, perSecond: rate, errorPerSecond: rate });
const hotTable = fc.record({
  perSecond: rate,
  floorPerSecond: rate,
  keys: fc.array(hotKey, { maxLength: 4 }),
});
const sentRecords = fc.array(fc.record({ record: bytes, fence: u32 }), { maxLength: 5 });

/** Any request, of any kind. */
export const anyRequest: fc.Arbitrary<PeerRequest> = fc.oneof(
  fc.record({ kind: fc.constant("merge" as const), stamp, fence: u32, record: bytes }),
  fc.record({
    kind: fc.constant("read" as const),
    stamp,
    bucket: text,
    key: bytes,
    spared: maybe(fc.record({ digest: maybe(halves), bytes: u32 })),
  }),
  fc.record({
    kind: fc.constant("find" as const),
    stamp,
    partition: u32,
    token: halves,
    evenIfDamaged: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("list" as const),
    stamp,
    partition: u32,
    after: maybe(halves),
    limit: u32,
    evenIfDamaged: fc.boolean(),
    skipsEmpty: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("compare" as const),
    stamp,
    sender: nodeId,
    questions: fc.array(
      fc.record({
        node: fc.record({
          first: u32,
          count: u32,
          tokens: maybe(fc.record({ from: halves, bits: u32 })),
        }),
        of: fc.constantFrom("node" as const, "children" as const),
        digests: fc.array(halves, { maxLength: 16 }),
      }),
      { maxLength: 4 },
    ),
  }),
  fc.record({
    kind: fc.constant("look" as const),
    stamp,
    sender: nodeId,
    tokens: fc.array(halves, { maxLength: 9 }),
  }),
  fc.record({
    kind: fc.constant("fetch" as const),
    stamp,
    tokens: fc.array(halves, { maxLength: 9 }),
    bytesMax: u32,
  }),
  fc.record({ kind: fc.constant("merge-all" as const), stamp, records: sentRecords }),
  fc.record({
    kind: fc.constant("hint" as const),
    stamp,
    target: nodeId,
    fence: u32,
    record: bytes,
  }),
  fc.record({
    kind: fc.constant("raise-fence" as const),
    stamp,
    partition: u32,
    fence: u32,
    reaped: u32,
    entries,
  }),
  fc.record({
    kind: fc.constant("reap" as const),
    stamp,
    partition: u32,
    fence: u32,
    entries,
    cuts: entries,
  }),
  fc.record({ kind: fc.constant("ask-fences" as const), stamp }),
  fc.record({ kind: fc.constant("ask-hot-keys" as const), stamp }),
  fc.record({ kind: fc.constant("read-hint" as const), stamp, bucket: text, key: bytes }),
  fc.record({
    kind: fc.constant("put" as const),
    stamp,
    bucket: text,
    key: bytes,
    value: bytes,
    contentType: text,
    context: maybe(text),
    writeId: maybe(writeId),
    w: u32,
    pw: u32,
    mode,
    returnBody: fc.boolean(),
    ttlMs: maybe(fc.oneof(fc.nat(), fc.constant(Infinity))),
    expiresAtMs: maybe(fc.maxSafeNat()),
  }),
  fc.record({
    kind: fc.constant("delete" as const),
    stamp,
    bucket: text,
    key: bytes,
    context: text,
    w: u32,
    pw: u32,
    mode,
  }),
  fc.record({ kind: fc.constant("announce" as const), announcement }),
  fc.record({ kind: fc.constant("prepare" as const), clusterId: id32, epoch: u32, ballot }),
  fc.record({
    kind: fc.constant("accept" as const),
    clusterId: id32,
    epoch: u32,
    ballot,
    document: bytes,
  }),
  fc.record({ kind: fc.constant("tell" as const), document: bytes }),
  fc.constant<PeerRequest>({ kind: "ask-levels" }),
  fc.record({
    kind: fc.constant("ask" as const),
    clusterId: fc.oneof(id32, fc.constant("")),
    epoch: u32,
  }),
  fc.record({
    kind: fc.constant("membership" as const),
    cluster: u32,
    message: membershipMessage,
  }),
);

/** Any response, of any kind. */
export const anyResponse: fc.Arbitrary<PeerResponse> = fc.oneof(
  fc.record({ kind: fc.constant("merged" as const), changed: fc.boolean() }),
  fc.record({ kind: fc.constant("present" as const), record: bytes, fence }),
  fc.record({ kind: fc.constant("absent" as const), fence }),
  fc.record({ kind: fc.constant("version" as const), digest: halves, bytes: u32, fence }),
  fc.constant<PeerResponse>({ kind: "unknown" }),
  fc.record({
    kind: fc.constant("found" as const),
    records: fc.array(bytes, { maxLength: 5 }),
    fence,
  }),
  fc.record({
    kind: fc.constant("fence-raised" as const),
    fence,
    problem: maybe(fc.constantFrom(...raiseProblemsInWireOrder)),
    lacking: fc.array(u32, { maxLength: 9 }),
  }),
  fc.constant<PeerResponse>({ kind: "reaped" }),
  fc.record({
    kind: fc.constant("fences" as const),
    fences: fc.array(fence, { maxLength: 9 }),
    isWhole: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("hot-keys" as const), reads: hotTable, writes: hotTable }),
  fc.record({
    kind: fc.constant("listed" as const),
    entries,
  }),
  fc.record({
    kind: fc.constant("compared" as const),
    differences: fc.array(
      fc.record({
        question: u32,
        child: u32,
        holds: fc.oneof(
          fc.record({
            kind: fc.constant("digests" as const),
            digests: fc.array(halves, { minLength: 1, maxLength: 16 }),
          }),
          fc.record({
            kind: fc.constant("entries" as const),
            entries: fc.array(fc.record({ token: halves, digest: halves }), { maxLength: 9 }),
          }),
        ),
      }),
      { maxLength: 4 },
    ),
  }),
  fc.record({
    kind: fc.constant("looked" as const),
    entries: fc.array(fc.record({ token: halves, digest: halves, place: u32 }), { maxLength: 9 }),
  }),
  fc.record({ kind: fc.constant("fetched" as const), tokens: u32, records: sentRecords }),
  fc.record({
    kind: fc.constant("merged-all" as const),
    outcomes: fc.array(fc.constantFrom("unchanged", "changed", ...refusalsInWireOrder), {
      maxLength: 9,
    }),
  }),
  fc.record({
    kind: fc.constant("written" as const),
    context: maybe(text),
    siblings: u32,
    primaries: u32,
    fallbacks: u32,
    record: maybe(bytes),
  }),
  fc.record({ kind: fc.constant("announced" as const), announcement }),
  fc.record({ kind: fc.constant("promised" as const), ballot, document: bytes }),
  fc.constant<PeerResponse>({ kind: "accepted" }),
  fc
    .tuple(fc.integer({ min: 1, max: 99 }), fc.nat(99))
    .map(([min, more]) => ({ kind: "levels" as const, levels: { min, max: min + more } })),
  fc.record({ kind: fc.constant("outbid" as const), ballot }),
  fc.record({ kind: fc.constant("document" as const), epoch: u32, document: maybe(bytes) }),
  fc.record({
    kind: fc.constant("membership" as const),
    messages: fc.array(membershipMessage, { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant("refused" as const),
    code: fc.constantFrom(...refusalsInWireOrder),
    outcome: fc.constantFrom("refused" as const, "unknown" as const),
    message: text,
    primaries: u32,
    fallbacks: u32,
  }),
);

/** Finite, and never minus zero, which is read as zero. */
export const anyTime: fc.Arbitrary<number> = fc
  .double({
    noNaN: true,
    noDefaultInfinity: true,
  })
  .map((each) => each + 0);

/** A correlation id. */
export const anyId: fc.Arbitrary<number> = u32;
