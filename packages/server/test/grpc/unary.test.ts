import type { NodeApi } from "@coterie/cluster";
import { clientMethods, decodeGetReply } from "@coterie/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { valueBytesMax } from "../http/one-node.ts";
import { deleteOf, getOf, putOf, scanOf, valuesOf } from "./grpc-client.ts";
import { methodsOf } from "./gate.ts";
import { OpenedDoors } from "./open-door.ts";

const doors = new OpenedDoors();
afterEach(() => doors.close());

function replyOf<Reply>(
  outcome: { readonly ok: true; readonly reply: Reply } | { readonly ok: false },
): Reply {
  if (!outcome.ok) throw new Error(`the call failed: ${JSON.stringify(outcome)}`);
  return outcome.reply;
}

describe("unary calls", () => {
  it("put, get, delete, with contexts", async () => {
    const { client, observed } = await doors.open();
    const put = replyOf(await client.put(putOf("k", "one", { contentType: "text/x" })));
    expect(put).toMatchObject({ siblings: 1, acks: { primaries: 1, fallbacks: 0, required: 1 } });
    const got = replyOf(await client.get(getOf("k")));
    expect(valuesOf(got)).toEqual(["one"]);
    expect(got).toMatchObject({ context: put.context, acks: { primaries: 1, required: 1 } });
    const [sibling] = got.siblings;
    expect(sibling).toMatchObject({ contentType: "text/x", expiresAtMs: 0 });
    expect(sibling?.dot).toMatch(/^[0-9a-f]{16}:\d+$/u);
    expect(Math.abs((sibling?.writtenAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
    const deleted = replyOf(await client.delete(deleteOf("k", { context: got.context })));
    expect(deleted).toMatchObject({ siblings: 0 });
    const gone = replyOf(await client.get(getOf("k")));
    expect(gone.siblings).toEqual([]);
    expect(gone.context).not.toBe(undefined);
    const never = replyOf(await client.get(getOf("never")));
    expect(never).toMatchObject({ siblings: [], context: undefined });
    expect(observed.map(({ operation, code }) => `${operation} ${code}`)).toEqual([
      "put ok",
      "get ok",
      "delete ok",
      "get ok",
      "get ok",
    ]);
  });

  it("put values that never expire into a bucket whose values do", async () => {
    const { client, node } = await doors.open();
    const given = { ttlMs: 60_000 };
    expect(await node.changeBucket({ intent: "change", name: "default", given })).toMatchObject({
      ok: true,
    });
    replyOf(await client.put(putOf("goes", "v")));
    replyOf(await client.put(putOf("stays", "v", { ttlMs: Number.POSITIVE_INFINITY })));
    const [goes] = replyOf(await client.get(getOf("goes"))).siblings;
    expect(goes?.expiresAtMs).toBeGreaterThan(Date.now());
    const [stays] = replyOf(await client.get(getOf("stays"))).siblings;
    expect(stays?.expiresAtMs).toBe(0);
  });

  it("put values that expire, by a time to live or at a time", async () => {
    const { client } = await doors.open();
    const expiresAtMs = 4_000_000_000_123;
    replyOf(await client.put(putOf("until", "v", { expiresAtMs })));
    expect(replyOf(await client.get(getOf("until"))).siblings).toMatchObject([{ expiresAtMs }]);
    const tenYears = 315_360_000_000;
    const before = Date.now();
    replyOf(await client.put(putOf("brief", "v", { ttlMs: tenYears })));
    const [brief] = replyOf(await client.get(getOf("brief"))).siblings;
    expect(brief?.expiresAtMs).toBeGreaterThanOrEqual(before + tenYears);
    replyOf(await client.put(putOf("past", "v", { expiresAtMs: 1 })));
    expect(replyOf(await client.get(getOf("past")))).toMatchObject({
      siblings: [],
      context: expect.any(String),
    });
  });

  it("keep concurrent values until a write with their context", async () => {
    const { client } = await doors.open();
    await client.put(putOf("k", "one"));
    const second = replyOf(await client.put(putOf("k", "two", { returnBody: true })));
    expect(second).toMatchObject({ siblings: 2, context: undefined });
    expect(second.body).toHaveLength(2);
    const { context, ...read } = replyOf(await client.get(getOf("k")));
    expect(valuesOf({ context, ...read })).toEqual(["one", "two"]);
    const resolved = replyOf(await client.put(putOf("k", "both", { context })));
    expect(resolved.siblings).toBe(1);
    expect(valuesOf(replyOf(await client.get(getOf("k"))))).toEqual(["both"]);
  });

  it("do a repeated write once", async () => {
    const { client } = await doors.open();
    const writeId = "000102030405060708090a0b0c0d0e0f" as NonNullable<
      ReturnType<typeof putOf>["writeId"]
    >;
    await client.put(putOf("k", "one", { writeId }));
    expect(replyOf(await client.put(putOf("k", "one", { writeId }))).siblings).toBe(1);
  });

  it("carry out a batch, each operation on its own, answered in order", async () => {
    const { client } = await doors.open();
    await client.put(putOf("old", "1"));
    const replies = replyOf(
      await client.batch([
        getOf("old"),
        putOf("new", "2"),
        putOf("", "no key"),
        getOf("k", { bucket: "nowhere" }),
        deleteOf("old"),
      ]),
    );
    expect(replies.map((reply) => (reply.kind === "failure" ? reply.code : reply.kind))).toEqual([
      "get",
      "write",
      "bad-request",
      "no-such-bucket",
      "write",
    ]);
    expect(replyOf(await client.batch([]))).toEqual([]);
  });

  it("scan a bucket page by page, and resume", async () => {
    const { client } = await doors.open();
    await client.batch(Array.from({ length: 300 }, (_, at) => putOf(`k${at}`, "v")));
    const { pages, failed } = await client.scan(scanOf({ limit: 100 }));
    expect(failed).toBe(undefined);
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.at(-1)?.cursor).toBe(undefined);
    const keys = pages.flatMap(({ items }) => items.map(({ key }) => Buffer.from(key).toString()));
    expect(new Set(keys).size).toBe(300);
    const rest = await client.scan(scanOf({ cursor: pages[0]?.cursor }));
    expect(rest.pages.flatMap(({ items }) => items)).toHaveLength(
      300 - (pages[0]?.items.length ?? 0),
    );
    const prefix = new TextEncoder().encode("k29");
    const some = await client.scan(scanOf({ prefix }));
    expect(some.pages.flatMap(({ items }) => items)).toHaveLength(11);
    expect(some.pages[0]?.items[0]).toMatchObject({ siblings: 1, bytes: 1 });
  });

  it("describe the cluster, with where this door is", async () => {
    const { client, door } = await doors.open();
    const described = replyOf(await client.describe());
    expect(described).toMatchObject({
      epoch: 1,
      node: "n1",
      members: [{ id: "n1", grpc: door.address, host: "h", zone: "z" }],
    });
    expect(described.partitions).toHaveLength(8);
    expect(described.partitions[0]).toEqual([0]);
    expect(described.buckets.find(({ name }) => name === "default")).toMatchObject({
      policy: "siblings",
      n: 1,
      r: 1,
      w: 1,
    });
  });

  it("describe a bucket that was made meanwhile, under a later epoch", async () => {
    const { client, node } = await doors.open();
    const before = replyOf(await client.describe());
    await node.changeBucket({ intent: "create", name: "made", given: {} });
    const after = replyOf(await client.describe());
    expect(after.epoch).toBe(before.epoch + 1);
    expect(after.buckets.map(({ name }) => name)).toContain("made");
  });
});

describe("a call that fails has a status, a code and a failure in its trailers", () => {
  it.each([
    ["an empty key", putOf("", "v"), "INVALID_ARGUMENT", "bad-request", "a key has 1 to 2048"],
    ["a bad bucket", putOf("k", "v", { bucket: "A B" }), "INVALID_ARGUMENT", "bad-request", "name"],
    ["no such bucket", putOf("k", "v", { bucket: "none" }), "NOT_FOUND", "no-such-bucket", "none"],
    [
      "a forged context",
      putOf("k", "v", { context: "AAAA" }),
      "INVALID_ARGUMENT",
      "bad-context",
      "",
    ],
    [
      "a ttl of 0",
      putOf("k", "v", { ttlMs: 0 }),
      "INVALID_ARGUMENT",
      "bad-request",
      "time to live",
    ],
    [
      "a ttl and an end",
      putOf("k", "v", { ttlMs: 5, expiresAtMs: 5 }),
      "INVALID_ARGUMENT",
      "bad-request",
      "not both",
    ],
    ["w over n", putOf("k", "v", { w: 9 }), "INVALID_ARGUMENT", "bad-request", "w"],
    ["w of zero", putOf("k", "v", { w: 0 }), "INVALID_ARGUMENT", "bad-request", "w"],
    [
      "a timeout of an hour",
      putOf("k", "v", { timeoutMs: 3_600_000 }),
      "INVALID_ARGUMENT",
      "bad-request",
      "timeout",
    ],
    [
      "a content type of two lines",
      putOf("k", "v", { contentType: "a\r\nb" }),
      "INVALID_ARGUMENT",
      "bad-request",
      "printable",
    ],
    [
      "a value too large",
      putOf("k", "v".repeat(valueBytesMax + 1)),
      "RESOURCE_EXHAUSTED",
      "too-large",
      "at most 4096",
    ],
  ])("%s", async (_, request, status, code, message) => {
    const { client, node } = await doors.open();
    const outcome = await client.put(request);
    expect(outcome).toMatchObject({
      ok: false,
      failed: { status, code, failure: { code, isOutcomeUnknown: false } },
    });
    const failed = outcome.ok ? undefined : outcome.failed;
    expect(failed?.details).toContain(`${code}: `);
    expect(failed?.failure?.message).toContain(message);
    expect(failed?.failure?.hint).not.toBe("");
    expect(node.statistics().store?.keys).toBe(0);
  });

  it("a value that there is already, of a put that wants none", async () => {
    const { client } = await doors.open();
    await client.put(putOf("k", "v"));
    expect(await client.put(putOf("k", "w", { ifAbsent: true }))).toMatchObject({
      failed: { status: "FAILED_PRECONDITION", code: "precondition-failed" },
    });
  });

  it("a node that is not there yet", async () => {
    const { client } = await doors.open({ serve: false });
    const notReady = { ok: false, failed: { status: "UNAVAILABLE", code: "not-ready" } };
    expect(await client.get(getOf("k"))).toMatchObject(notReady);
    expect(await client.describe()).toMatchObject(notReady);
    expect((await client.scan(scanOf())).failed).toMatchObject({ code: "not-ready" });
  });

  it("a node that is shutting down", async () => {
    const { client, node } = await doors.open();
    await node.stop();
    expect(await client.get(getOf("k"))).toMatchObject({
      failed: { status: "UNAVAILABLE", code: "shutting-down", failure: { isRetryable: true } },
    });
  });

  it("a defect, of which the node is told", async () => {
    const wrap = (node: NodeApi): NodeApi => ({
      ...methodsOf(node),
      put: () => Promise.reject(new Error("planted")),
    });
    const { client, defects } = await doors.open({ wrap });
    expect(await client.put(putOf("k", "v"))).toMatchObject({
      failed: { status: "INTERNAL", code: "internal", failure: { isOutcomeUnknown: true } },
    });
    expect(defects.map(({ message }) => message)).toEqual(["planted"]);
  });

  it("a deadline: the nearer of the call's and the request's", async () => {
    const asked: (number | undefined)[] = [];
    const wrap = (node: NodeApi): NodeApi => ({
      ...methodsOf(node),
      beginGet: (key, options, ending) => {
        asked.push(options.timeoutMs);
        node.beginGet(key, options, ending);
      },
    });
    const { client } = await doors.open({ wrap });
    const inAMinute = Date.now() + 50_000;
    await client.get(getOf("k", { timeoutMs: 700 }), { deadline: inAMinute });
    await client.get(getOf("k"), { deadline: inAMinute });
    await client.get(getOf("k", { timeoutMs: 59_000 }), { deadline: inAMinute });
    await client.get(getOf("k"));
    expect(asked[0]).toBe(700);
    expect(asked[1]).toBeGreaterThan(1000);
    expect(asked[1]).toBeLessThanOrEqual(50_000);
    expect(asked[2]).toBeLessThanOrEqual(50_000);
    expect(asked[3]).toBe(undefined);
  });

  it("bytes that are no message", async () => {
    const { client } = await doors.open();
    const garbage = Uint8Array.of(0xff, 0xff, 0xff, 0xff);
    const malformed = { failed: { status: "INVALID_ARGUMENT", code: "bad-request" } };
    for (const path of [clientMethods.get, clientMethods.put, clientMethods.batch]) {
      expect(await client.call(path, garbage, decodeGetReply)).toMatchObject(malformed);
    }
    expect((await client.stream(clientMethods.scan, garbage)).failed).toMatchObject(
      malformed.failed,
    );
    expect(await client.get(getOf("k"))).toMatchObject({ ok: true });
  });

  it("a message larger than any may be, which is not read", async () => {
    const { client } = await doors.open();
    const huge = new Uint8Array(valueBytesMax + 4 * 1024 * 1024 + 1);
    expect(await client.call(clientMethods.put, huge, decodeGetReply)).toMatchObject({
      failed: { status: "RESOURCE_EXHAUSTED" },
    });
  });

  it("a method that there is not", async () => {
    const { client } = await doors.open();
    const path = "/coterie.v1.Kv/__proto__";
    expect(await client.call(path, new Uint8Array(), decodeGetReply)).toMatchObject({
      failed: { status: "UNIMPLEMENTED" },
    });
  });
});
