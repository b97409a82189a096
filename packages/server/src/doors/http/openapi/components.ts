import { debtKinds, hotKeysMax } from "@coterie/cluster";
import { keyHashes, limits } from "@coterie/core";
import { hotSchemas } from "./hot-schemas.ts";
import { type Json, count, list, memberState, object, text } from "./schema-parts.ts";
import { topologySchemas } from "./topology-schemas.ts";

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const nullableText = { type: ["string", "null"] };

const sibling = object({
  value: { type: "string", contentEncoding: "base64" },
  contentType: text,
  dot: text,
  writtenAt: { type: "string", format: "date-time" },
  expiresAt: { type: ["string", "null"], format: "date-time" },
});

const member = object({
  id: text,
  address: text,
  http: text,
  grpc: text,
  resp: text,
  host: text,
  zone: text,
  weight: count,
  isReachable: { type: "boolean", description: "False while it would be asked in vain." },
  circuit: {
    enum: ["closed", "doubted", "open", "half-open"],
    description: "Open: it is silent, and pinged until it answers.",
  },
  state: memberState,
  sinceMs: { ...count, description: "For how long it has been in this state." },
  incarnation: count,
  rttMs: { type: ["number", "null"], minimum: 0, description: "Of probes; null while unknown." },
});

/** What a replica answers besides its state depends on that. */
const explainedReplica = object(
  {
    node: text,
    role: { enum: ["primary", "next", "fallback"] },
    standsInFor: { ...text, description: "Of a fallback: in whose place it takes writes now." },
    state: { enum: ["present", "absent", "unknown", "unreachable"] },
    dots: list(text),
    clock: list(text),
    digest: text,
    bytes: count,
    context: nullableText,
    reason: text,
  },
  ["node", "role", "state"],
);

const debt = object({
  target: text,
  kind: { enum: [...debtKinds], description: "Keys it missed, or records held for it." },
  records: count,
  bytes: { type: ["integer", "null"], minimum: 0, description: "Null where it is not known." },
  dirtyPartitions: { ...count, description: "Of which the keys are not known: lists tell." },
  state: { enum: ["waiting", "delivering"] },
  recordsPerSecond: count,
  etaMs: { type: ["integer", "null"], minimum: 0, description: "Null while nothing moves." },
  ageMs: { ...count, description: "How long something has been owed without a break." },
});
const milliseconds = (description: string): Json => ({
  type: ["integer", "null"],
  minimum: 0,
  description,
});
const exchangeProblem = {
  description: "Why not: unreachable, refused, failed, stopped and so on.",
  type: "string",
};
const peerExchanges = object({
  peer: text,
  state: { enum: ["waiting", "exchanging"] },
  completeAgeMs: milliseconds("Since the last one began that was completed; null: none was."),
  partitions: { ...count, description: "Of which both own a copy." },
  partitionsDone: { ...count, description: "By the exchange under way, or the last one." },
  keysExchanged: { ...count, description: "Keys that differed, and do not any more." },
  keysPerSecond: count,
  failures: { ...count, description: "Exchanges that were not completed." },
  problem: { ...exchangeProblem, type: ["string", "null"] },
});
const repair = object({
  number: { ...count, description: "Counts the repairs of this node since its start." },
  state: { enum: ["running", "done", "failed"], description: "failed: copies may still differ." },
  elapsedMs: count,
  partitions: count,
  partitionsDone: count,
  keysCompared: count,
  keysExchanged: count,
  bytes: { ...count, description: "Sent and received." },
  keysPerSecond: count,
  etaMs: milliseconds("Null while it cannot be told."),
  failures: list(object({ peer: text, partitions: count, problem: exchangeProblem })),
});
const partitionNumbers = { type: "array", items: count, minItems: 1 };
const requiredBucketSettings = {
  name: text,
  policy: { enum: ["siblings", "lww"] },
  n: count,
  r: count,
  w: count,
  pr: count,
  pw: count,
  allowStale: { type: "boolean" },
  mode: { enum: ["strict", "sloppy"], description: "Of requests that do not say." },
};
const bucketSettings = {
  ...requiredBucketSettings,
  ttlMs: { ...count, description: "Milliseconds that a value lives whose put does not say." },
};
const bucketAnswer = {
  result: { enum: ["created", "changed", "unchanged"] },
  epoch: { ...count, description: "Of the cluster document that has it so." },
};

const failure = object(
  {
    code: ref("ErrorCode"),
    message: text,
    hint: text,
    retryable: { type: "boolean" },
    outcome: { enum: ["refused", "unknown"] },
    acks: ref("Acks"),
  },
  ["code", "message", "hint", "retryable"],
);

const keyHash: Json = { enum: [...keyHashes] };

/** By name, as `$ref` finds them. */
export const schemas: Json = {
  Acks: object({ primaries: count, fallbacks: count, required: count }),
  Failure: failure,
  Sibling: sibling,
  Siblings: object({ context: nullableText, siblings: list(ref("Sibling")) }),
  Member: member,
  Bucket: object(bucketSettings, Object.keys(requiredBucketSettings)),
  GivenBucket: { ...object(bucketSettings, []), additionalProperties: false },
  BucketAnswer: object(
    { ...bucketSettings, ...bucketAnswer },
    Object.keys({ ...requiredBucketSettings, ...bucketAnswer }),
  ),
  Cluster: object({
    clusterId: text,
    epoch: count,
    digest: text,
    node: text,
    partitions: count,
    hash: keyHash,
    nMax: count,
    buckets: list(ref("Bucket")),
    members: list(ref("Member")),
  }),
  Members: object({
    node: text,
    epoch: count,
    localHealth: { ...count, maximum: 8, description: "0 when the node does not doubt itself." },
    members: list(ref("Member")),
  }),
  Hints: object({ node: text, debts: list(ref("Debt")) }),
  Debt: debt,
  AntiEntropy: object({
    node: text,
    intervalMs: { ...count, description: "0: only when something asks for it." },
    lagMs: { ...count, description: "Of the partition compared the longest ago." },
    oldest: {
      oneOf: [object({ partition: count, peer: text }), { type: "null" }],
      description: "That partition, and the peer; null where nothing is shared.",
    },
    peers: list(ref("PeerExchanges")),
    repair: { oneOf: [ref("Repair"), { type: "null" }], description: "The last one asked for." },
    counts: object({ completed: count, failed: count, keysExchanged: count, bytes: count }),
  }),
  PeerExchanges: peerExchanges,
  Repair: repair,
  RepairRequest: {
    ...object({ partitions: { oneOf: [{ const: "all" }, partitionNumbers] } }),
    additionalProperties: false,
  },
  RepairStarted: object({ node: text, number: count, partitions: count, peers: count }),
  DrainRequest: {
    ...object({ node: { ...text, description: "The name of the very node that is asked." } }),
    additionalProperties: false,
  },
  Draining: object({ node: text, draining: { const: true } }),
  ...topologySchemas,
  ...hotSchemas,
  Buckets: object({ buckets: list(ref("Bucket")) }),
  Ring: object({ epoch: count, partitions: count, hash: keyHash, owners: list(list(text)) }),
  Explanation: object({
    bucket: text,
    key: text,
    partition: count,
    epoch: count,
    token: text,
    n: count,
    preferenceList: list(text),
    replicas: list(explainedReplica),
  }),
  Replica: object({
    context: nullableText,
    siblings: list(ref("Sibling")),
    digest: text,
    clock: list(text),
  }),
  Readiness: object({ ready: { type: "boolean" }, node: text, missing: list(text) }, [
    "ready",
    "node",
  ]),
  Index: object({ name: text, openapi: text, routes: list(text) }),
};

const query = (name: string, schema: Json, description: string): Json => ({
  name,
  in: "query",
  schema,
  description,
});
const header = (name: string, description: string): Json => ({
  name,
  in: "header",
  schema: text,
  description,
});

/** By name, as `$ref` finds them. */
export const parameters: Json = {
  bucket: {
    name: "bucket",
    in: "path",
    required: true,
    schema: { type: "string", pattern: "^[a-z0-9._-]{1,64}$" },
  },
  key: {
    name: "key",
    in: "path",
    required: true,
    schema: text,
    description: "1 to 2048 bytes, percent-encoded; a slash is %2F.",
  },
  r: query("r", count, "Replicas that must answer a read."),
  pr: query("pr", count, "How many of them must be primaries."),
  w: query("w", count, "Replicas that must have stored a write."),
  pw: query("pw", count, "How many of them must be primaries."),
  maxStale: query(
    "max_stale",
    count,
    "Milliseconds: what a read found that began no longer ago will do. 0: never.",
  ),
  timeout: query("timeout", count, "Milliseconds until the request is given up."),
  strict: query(
    "strict",
    { type: "boolean" },
    "True: only primaries count. False: fallbacks may stand in for primaries out of reach.",
  ),
  returnBody: query("return_body", { type: "boolean" }, "Answer with the siblings after it."),
  limit: query(
    "limit",
    { oneOf: [{ type: "integer", minimum: 1, maximum: 10_000 }, { const: "all" }] },
    "Keys per page, roughly, or everything from the cursor on.",
  ),
  cursor: query("cursor", text, "Where an earlier scan ended."),
  prefix: query("prefix", text, "First bytes of the keys, percent-encoded."),
  tombstones: query("tombstones", { type: "boolean" }, "Deleted keys too."),
  findSiblings: query(
    "siblings",
    { type: "integer", minimum: 1 },
    "Keys with at least so many values that have not expired.",
  ),
  findTombstones: query("tombstones", { const: true }, "Keys of which nothing is left to read."),
  findLarger: query("larger_than", count, "Keys whose record has more bytes than this."),
  findBucket: query(
    "bucket",
    { type: "string", pattern: "^[a-z0-9._-]{1,64}$" },
    "Keys of this bucket only.",
  ),
  findLimit: query(
    "limit",
    { type: "integer", minimum: 1, maximum: 10_000 },
    "Keys per page, roughly.",
  ),
  hotLimit: query(
    "limit",
    { type: "integer", minimum: 1, maximum: hotKeysMax },
    "Keys of each table, at most.",
  ),
  context: {
    ...header("Coterie-Context", "What the writer has read: exactly that is replaced."),
    schema: { type: "string", maxLength: limits.contextTextMax },
  },
  writeId: header("Coterie-Write-Id", "16 bytes in base64url: repeating the put is harmless."),
  ifNoBucket: {
    ...header("If-None-Match", "Create only: a bucket that exists is left as it is."),
    schema: { const: "*" },
  },
  siblings: query(
    "siblings",
    { const: "all" },
    "Of a bucket that shows the latest value only (lww): every sibling, the latest first.",
  ),
  ttl: query(
    "ttl",
    { oneOf: [{ type: "integer", minimum: 1, maximum: limits.ttlMsMax }, { const: "never" }] },
    "Milliseconds that the value lives, or that it stays; without it the bucket says how long.",
  ),
  expiresAt: {
    ...header("Coterie-Expires-At", "When the value expires, in place of a ttl."),
    schema: { type: "string", format: "date-time" },
  },
  ifNoneMatch: {
    ...header("If-None-Match", "Create only, if a read at r finds no value."),
    schema: { const: "*" },
  },
};

/** By name, as `$ref` finds them. */
export const headers: Json = {
  "Coterie-Context": { schema: text, description: "Send it with the write that replaces this." },
  "Coterie-Siblings": { schema: count },
  "Coterie-Expires-At": {
    schema: { type: "string", format: "date-time" },
    description: "Of a value that expires.",
  },
  "Coterie-Acks": { schema: text, description: "Who answered." },
};

const json = (schema: Json): Json => ({ "application/json": { schema } });
const failed = (description: string): Json => ({ description, content: json(ref("Failure")) });

/** By name, as `$ref` finds them; failures all have the same body. */
export const responses: Json = {
  BadRequest: failed("Malformed; the message says what."),
  NotFound: failed("Nothing is there."),
  WrongMethod: failed("The method is not defined here."),
  Conflict: failed(
    "Too many siblings or actors; a bucket that has other settings; a plan that is stale, or " +
      "while another one is under way.",
  ),
  Exists: failed("If-None-Match was given and the key holds a value."),
  TooLarge: failed("Over a limit."),
  WrongType: failed("A content type or coding that is not taken."),
  Overloaded: failed("A bound on work in flight was reached; nothing was done."),
  NotYet: failed("The option is not built yet."),
  Unavailable: failed("Too few replicas answered, or the node is not ready."),
  TimedOut: failed("The deadline passed."),
};
