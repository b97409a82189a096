type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Json;
}

const names: ReadonlyMap<number, string> = new Map([
  [400, "BadRequest"],
  [404, "NotFound"],
  [409, "Conflict"],
  [412, "Exists"],
  [413, "TooLarge"],
  [415, "WrongType"],
  [429, "Overloaded"],
  [501, "NotYet"],
  [503, "Unavailable"],
  [504, "TimedOut"],
]);

function failures(...statuses: readonly number[]): Json {
  const entries = statuses.map((status) => [
    String(status),
    { $ref: `#/components/responses/${names.get(status)}` },
  ]);
  return Object.fromEntries(entries);
}

const given = (...parameters: readonly string[]): readonly Json[] =>
  parameters.map((name) => ({ $ref: `#/components/parameters/${name}` }));

function answer(description: string, content?: Json, headers: readonly string[] = []): Json {
  return {
    description,
    ...(content !== undefined && { content }),
    ...(headers.length > 0 && {
      headers: Object.fromEntries(
        headers.map((name) => [name, { $ref: `#/components/headers/${name}` }]),
      ),
    }),
  };
}

const schema = (name: string): Json => ({
  "application/json": { schema: { $ref: `#/components/schemas/${name}` } },
});
const bytes = { "*/*": {} };
const lines = { "application/x-ndjson": { schema: { type: "string" } } };
const found = ["Coterie-Context", "Coterie-Siblings", "Coterie-Acks"];

const oneKey = "/v1/buckets/{bucket}/keys/{key}";
const reading = given("r", "pr", "timeout", "strict");
const writing = given("r", "pr", "w", "pw", "timeout", "strict", "context", "writeId");
const read = {
  200: answer("The value.", { ...bytes, ...schema("Siblings") }, [...found, "Coterie-Expires-At"]),
  300: answer("Siblings.", { "multipart/mixed": {}, ...schema("Siblings") }, found),
  ...failures(400, 404, 429, 503, 504),
};

/** A page of JSON about the cluster. */
function page(
  path: string,
  name: string,
  summary: string,
  ...failing: readonly number[]
): Operation {
  const operationId = `get${name}`;
  const success = answer(summary, schema(name));
  const responses = { 200: success, ...failures(...failing, 503) };
  return { path, method: "GET", operationId, tags: ["cluster"], summary, responses };
}

/** Every route of the door but HEAD of what can be read, which answers as GET without a body. */
export const operations: readonly Operation[] = [
  {
    path: oneKey,
    method: "GET",
    operationId: "getKey",
    tags: ["keys"],
    summary: "The value of a key, or its siblings.",
    parameters: [...reading, ...given("siblings", "maxStale")],
    responses: read,
  },
  {
    path: oneKey,
    method: "HEAD",
    operationId: "headKey",
    tags: ["keys"],
    summary: "The headers of a get.",
    parameters: [...reading, ...given("siblings", "maxStale")],
    responses: {
      200: answer("A value is there.", undefined, [...found, "Coterie-Expires-At"]),
      300: answer("Siblings are there.", undefined, found),
      ...Object.fromEntries(
        [400, 404, 429, 503, 504].map((status) => [status, answer("As for a get.")]),
      ),
    },
  },
  {
    path: oneKey,
    method: "PUT",
    operationId: "putKey",
    tags: ["keys"],
    summary: "Stores a value; without a context, beside what is there.",
    parameters: [...writing, ...given("ttl", "expiresAt", "returnBody", "ifNoneMatch")],
    requestBody: { content: bytes, required: true },
    responses: {
      200: answer("Stored; the siblings after it.", schema("Siblings"), found),
      201: answer("Created.", undefined, found),
      204: answer("Stored.", undefined, found),
      ...failures(400, 404, 409, 412, 413, 415, 429, 501, 503, 504),
    },
  },
  {
    path: oneKey,
    method: "DELETE",
    operationId: "deleteKey",
    tags: ["keys"],
    summary: "Deletes what the context covers, or else what a read at r finds.",
    parameters: writing,
    responses: {
      204: answer("Deleted.", undefined, found),
      ...failures(400, 404, 409, 429, 501, 503, 504),
    },
  },
  {
    path: "/v1/buckets/{bucket}/keys",
    method: "GET",
    operationId: "scan",
    tags: ["keys"],
    summary: "The keys of a bucket in hash order, one per line, and last a cursor.",
    parameters: given("limit", "cursor", "prefix", "tombstones"),
    responses: { 200: answer("Lines.", lines), ...failures(400, 404, 429, 503, 504) },
  },
  {
    path: "/v1/batch",
    method: "POST",
    operationId: "batch",
    tags: ["keys"],
    summary: "An operation per line, each answered by a line when it is done.",
    requestBody: { content: lines, required: true },
    responses: { 200: answer("Lines.", lines), ...failures(400, 415, 503) },
  },
  page("/v1/buckets", "Buckets", "The settings of all buckets."),
  page("/v1/buckets/{bucket}", "Bucket", "The settings of a bucket.", 404),
  {
    path: "/v1/buckets/{bucket}",
    method: "PUT",
    operationId: "putBucket",
    tags: ["cluster"],
    summary: "Creates a bucket, or gives it just these settings; what is left out is as usual.",
    parameters: given("ifNoBucket"),
    requestBody: { content: schema("GivenBucket") },
    responses: {
      200: answer("It had these settings, or has them now.", schema("BucketAnswer")),
      201: answer("Created.", schema("BucketAnswer")),
      ...failures(400, 409, 413, 415, 429, 501, 503),
    },
  },
  {
    path: "/v1/buckets/{bucket}",
    method: "PATCH",
    operationId: "patchBucket",
    tags: ["cluster"],
    summary: "Changes settings of a bucket; what is left out stays.",
    requestBody: { content: schema("GivenBucket") },
    responses: {
      200: answer("It has these settings now.", schema("BucketAnswer")),
      ...failures(400, 404, 409, 413, 415, 429, 501, 503),
    },
  },
  page("/v1/cluster", "Cluster", "Members, settings, buckets."),
  page("/v1/members", "Members", "Members, and how each is as far as this node knows."),
  page("/v1/hints", "Hints", "What this node owes to others that were away."),
  page("/v1/anti-entropy", "AntiEntropy", "How alike this node's copies are to other owners'."),
  {
    path: "/v1/repair",
    method: "POST",
    operationId: "repair",
    tags: ["cluster"],
    summary: "Compares partitions with all their other owners, now, and makes all copies equal.",
    requestBody: { content: schema("RepairRequest"), required: true },
    responses: {
      202: answer("It has begun; /v1/anti-entropy says how far it is.", schema("RepairStarted")),
      ...failures(400, 413, 415, 429, 503),
    },
  },
  page("/v1/topology", "Topology", "Members, who offers itself, and what moves between them."),
  {
    path: "/v1/plan",
    method: "POST",
    operationId: "plan",
    tags: ["cluster"],
    summary: "What a change of the members would come to; it is remembered for ten minutes.",
    requestBody: { content: schema("MembersChange"), required: true },
    responses: {
      200: answer("The plan.", schema("Plan")),
      ...failures(400, 404, 409, 413, 415, 429, 503),
    },
  },
  {
    path: "/v1/commit",
    method: "POST",
    operationId: "commit",
    tags: ["cluster"],
    summary: "Does what a plan has shown, unless the cluster has changed since.",
    requestBody: { content: schema("Commitment"), required: true },
    responses: {
      200: answer("It is under way; /v1/topology says how far.", schema("Committed")),
      ...failures(400, 404, 409, 413, 415, 429, 503),
    },
  },
  {
    path: "/v1/abort",
    method: "POST",
    operationId: "abort",
    tags: ["cluster"],
    summary: "Takes back the moves that are not over.",
    responses: {
      200: answer("They are taken back.", schema("Committed")),
      ...failures(400, 413, 415, 429, 503),
    },
  },
  {
    path: "/v1/drain",
    method: "POST",
    operationId: "drain",
    tags: ["cluster"],
    summary: "Has this node finish what is in flight and end, as after SIGTERM.",
    requestBody: { content: schema("DrainRequest"), required: true },
    responses: {
      202: answer("It refuses what is new, and is gone when its doors are.", schema("Draining")),
      ...failures(400, 413, 415, 429, 503),
    },
  },
  page("/v1/upgrade", "Levels", "What the members speak, each asked now."),
  {
    path: "/v1/upgrade",
    method: "POST",
    operationId: "upgrade",
    tags: ["cluster"],
    summary: "Has the cluster go by the newest level that all members speak. There is no way back.",
    responses: {
      200: answer("All that can be reached go by it.", schema("Upgraded")),
      ...failures(400, 409, 413, 415, 429, 503),
    },
  },
  {
    path: "/v1/pause",
    method: "POST",
    operationId: "pause",
    tags: ["cluster"],
    summary: "Has all that moves stand still: nothing is copied or dropped, and no owner changes.",
    responses: {
      200: answer("It stands still.", schema("Committed")),
      ...failures(400, 413, 415, 429, 503),
    },
  },
  {
    path: "/v1/resume",
    method: "POST",
    operationId: "resume",
    tags: ["cluster"],
    summary: "Has what moves go on.",
    responses: {
      200: answer("It goes on.", schema("Committed")),
      ...failures(400, 413, 415, 429, 503),
    },
  },
  {
    path: "/v1/force-voters",
    method: "POST",
    operationId: "forceVoters",
    tags: ["cluster"],
    summary: "Goes on without voters that are gone for good, where no majority of them answers.",
    requestBody: { content: schema("VotersForcing"), required: true },
    responses: {
      200: answer("The others have no vote any more.", schema("VotersForced")),
      ...failures(400, 413, 415, 429, 503),
    },
  },
  {
    path: "/v1/find",
    method: "GET",
    operationId: "find",
    tags: ["cluster"],
    summary: "Keys that this node itself holds and that are like this, one per line, and a cursor.",
    parameters: given(
      "findSiblings",
      "findTombstones",
      "findLarger",
      "findBucket",
      "findLimit",
      "cursor",
    ),
    responses: { 200: answer("Lines.", lines), ...failures(400, 404, 429, 503) },
  },
  {
    path: "/v1/hot",
    method: "GET",
    operationId: "hot",
    tags: ["cluster"],
    summary: "The keys that clients ask all members for most, of reads and of writes.",
    parameters: given("hotLimit"),
    responses: { 200: answer("Rates of now.", schema("HotKeys")), ...failures(400, 503) },
  },
  page("/v1/ring", "Ring", "Per partition, its owners in order."),
  page(
    "/v1/explain/{bucket}/{key}",
    "Explanation",
    "Where a key lives, and what each replica answers when asked now.",
    400,
    404,
  ),
  page("/v1/replica/{bucket}/{key}", "Replica", "This node's own copy only.", 400, 404),
  {
    path: "/livez",
    method: "GET",
    operationId: "livez",
    tags: ["probes"],
    summary: "200 while the process runs.",
    responses: { 200: answer("It runs.", { "text/plain": {} }), ...failures(400) },
  },
  {
    path: "/readyz",
    method: "GET",
    operationId: "readyz",
    tags: ["probes"],
    summary: "200 when the node serves; 503 names what it waits for.",
    responses: {
      200: answer("It serves.", schema("Readiness")),
      503: answer("It waits.", schema("Readiness")),
      ...failures(400),
    },
  },
  {
    path: "/metrics",
    method: "GET",
    operationId: "metrics",
    tags: ["probes"],
    summary: "Metrics in Prometheus' text format.",
    responses: { 200: answer("Metrics.", { "text/plain": {} }), ...failures(400) },
  },
  {
    path: "/openapi.json",
    method: "GET",
    operationId: "openapi",
    tags: ["probes"],
    summary: "This document.",
    responses: { 200: answer("It.", { "application/json": {} }), ...failures(400) },
  },
  {
    path: "/",
    method: "GET",
    operationId: "index",
    tags: ["probes"],
    summary: "What there is.",
    responses: { 200: answer("The routes.", schema("Index")), ...failures(400) },
  },
];
