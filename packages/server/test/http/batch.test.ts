import type { Hono } from "hono";
import { beforeEach, describe, expect, it } from "vitest";
import { lineBytesMaxOf } from "../../src/doors/http/batch/batch-story.ts";
import { oneNode, valueBytesMax } from "./one-node.ts";

let app: Hono;

beforeEach(async () => {
  ({ app } = await oneNode());
});

type Line = Readonly<Record<string, unknown>>;

async function sendText(body: string | Uint8Array): Promise<readonly Line[]> {
  const answer = await app.request("http://localhost/v1/batch", {
    method: "POST",
    body: body as string,
    headers: { "Content-Type": "application/x-ndjson" },
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  const text = await answer.text();
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

/** Sends operations, and returns their answers in the order of the lines, and the last line. */
async function send(...operations: readonly object[]): Promise<readonly Line[]> {
  const lines = await sendText(operations.map((each) => JSON.stringify(each)).join("\n"));
  const end = lines.at(-1) as Line;
  const answers = lines.slice(0, -1);
  return [...answers.toSorted((a, b) => Number(a["line"]) - Number(b["line"])), end];
}

describe("a batch", () => {
  it("puts, gets and deletes, each line with an outcome of its own", async () => {
    const [put, get, remove, gone, end] = await send(
      { op: "put", key: "a", value: "blue" },
      { op: "get", key: "a" },
      { op: "delete", key: "a" },
      { op: "get", bucket: "default", key64: "YQ==" },
    );
    expect(put).toMatchObject({ line: 1, status: 204, siblings: 1, context: expect.any(String) });
    expect(get).toMatchObject({
      line: 2,
      status: 200,
      context: put?.["context"],
      siblings: [{ value: "Ymx1ZQ==", contentType: "text/plain; charset=utf-8" }],
      acks: { primaries: 1, fallbacks: 0, required: 1 },
    });
    expect(remove).toMatchObject({ line: 3, status: 204, siblings: 0 });
    expect(gone).toMatchObject({
      line: 4,
      status: 404,
      code: "not-found",
      siblings: [],
      context: expect.any(String),
    });
    expect(end).toEqual({ done: true, lines: 4, failed: 0 });
  });

  it("carries out the lines of one key in their order", async () => {
    const puts = Array.from({ length: 200 }, (_, at) => [
      { op: "put", key: `k${at % 3}`, value: String(at) },
      { op: "delete", key: `k${at % 3}` },
    ]).flat();
    const answers = await send(...puts);
    for (const [at, answer] of answers.slice(0, -1).entries()) {
      expect(answer).toMatchObject({ status: 204, siblings: at % 2 === 0 ? 1 : 0 });
    }
  });

  it("takes bytes as base64 or base64url, and keeps a content type", async () => {
    const [, get] = await send(
      { op: "put", key64: "_-8", value64: "+/8=", contentType: "image/x" },
      { op: "get", key64: "/+8=" },
    );
    expect(get).toMatchObject({ siblings: [{ value: "+/8=", contentType: "image/x" }] });
  });

  it("keeps siblings, resolves them by context, creates, and returns bodies", async () => {
    const id = Buffer.alloc(16, 7).toString("base64url");
    const [, , both, create] = await send(
      { op: "put", key: "a", value: "1", writeId: id },
      { op: "put", key: "a", value: "2" },
      { op: "get", key: "a" },
      { op: "put", key: "a", value: "3", ifAbsent: true },
    );
    expect(both).toMatchObject({ status: 300, siblings: [{}, {}] });
    expect(create).toMatchObject({ status: 412, code: "precondition-failed", outcome: "refused" });
    const [resolved, again, created] = await send(
      { op: "put", key: "a", value: "3", context: both?.["context"], returnBody: true },
      { op: "put", key: "a", value: "1", writeId: id },
      { op: "put", key: "b", value: "1", ifAbsent: true },
    );
    expect(resolved).toMatchObject({ status: 200, siblings: 1, body: [{ value: "Mw==" }] });
    expect(again).toMatchObject({ status: 204, siblings: 1 });
    expect(created).toMatchObject({ status: 201 });
  });

  it("takes values that expire, and says when they do", async () => {
    const expiresAt = "2101-02-28T12:00:00.000Z";
    const [, , until, brief] = await send(
      { op: "put", key: "until", value: "v", expiresAt },
      { op: "put", key: "brief", value: "v", ttl: 315_360_000_000 },
      { op: "get", key: "until" },
      { op: "get", key: "brief" },
      { op: "put", key: "past", value: "v", expiresAt: "2001-01-01T00:00:00Z" },
    );
    expect(until).toMatchObject({ siblings: [{ expiresAt }] });
    expect(brief).toMatchObject({ siblings: [{ expiresAt: expect.stringMatching(/^20\d\d-/u) }] });
    const [past] = await send({ op: "get", key: "past" });
    expect(past).toMatchObject({ status: 404, context: expect.any(String) });
    const [never, both] = await send(
      { op: "put", key: "never", value: "v", ttl: "never" },
      { op: "put", key: "both", value: "v", ttl: "never", expiresAt },
    );
    expect(never).toMatchObject({ status: 204 });
    expect(both).toMatchObject({ code: "bad-request" });
  });

  it("answers an empty one, blank lines, CR LF and a last line without an end", async () => {
    expect(await sendText("")).toEqual([{ done: true, lines: 0, failed: 0 }]);
    const get = '{"op":"get","key":"a"}';
    const lines = await sendText(`\n\r\n${get}\r\n${get}`);
    expect(lines.map(({ line }) => line).slice(0, 2)).toEqual([3, 4]);
    expect(lines.at(-1)).toEqual({ done: true, lines: 4, failed: 0 });
  });
});

describe("a line of a batch that is refused", () => {
  const a = { op: "put", key: "a", value: "v" };
  it.each([
    ["no JSON", "{", "bad-request"],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), "bad-request"],
    ["no object", "[1]", "bad-request"],
    ["deep nesting", "[".repeat(8000), "bad-request"],
    ["no operation", '{"key":"a"}', "bad-request"],
    ["an unknown operation", '{"op":"constructor","key":"a"}', "bad-request"],
    ["an unknown field", JSON.stringify({ ...a, foo: 1 }), "bad-request"],
    ["a field named __proto__", '{"op":"get","key":"a","__proto__":{}}', "bad-request"],
    ["no key", '{"op":"get"}', "bad-request"],
    ["two keys", JSON.stringify({ ...a, key64: "YQ" }), "bad-request"],
    ["an empty key", JSON.stringify({ ...a, key: "" }), "bad-request"],
    ["a key too long", JSON.stringify({ ...a, key: "k".repeat(2049) }), "bad-request"],
    ["half a character", '{"op":"put","key":"\\ud800","value":""}', "bad-request"],
    ["a key that is no base64", '{"op":"get","key64":"a!"}', "bad-request"],
    ["no value", '{"op":"put","key":"a"}', "bad-request"],
    ["a value that is no text", '{"op":"put","key":"a","value":1}', "bad-request"],
    ["a value of a get", '{"op":"get","key":"a","value":"v"}', "bad-request"],
    [
      "a value too long",
      JSON.stringify({ ...a, value: "v".repeat(valueBytesMax + 1) }),
      "too-large",
    ],
    ["a malformed bucket", JSON.stringify({ ...a, bucket: "UP" }), "bad-request"],
    ["a bucket that is none", JSON.stringify({ ...a, bucket: "other" }), "no-such-bucket"],
    ["w = -1", JSON.stringify({ ...a, w: -1 }), "bad-request"],
    ["w = 999999", JSON.stringify({ ...a, w: 999_999 }), "bad-request"],
    ["w = 1e400", '{"op":"put","key":"a","value":"v","w":1e400}', "bad-request"],
    ["r as a text", JSON.stringify({ ...a, r: "1" }), "bad-request"],
    ["a forged context", JSON.stringify({ ...a, context: "AAAA" }), "bad-context"],
    ["a context too long", JSON.stringify({ ...a, context: "A".repeat(5000) }), "bad-context"],
    ["a write id too short", JSON.stringify({ ...a, writeId: "AA" }), "bad-request"],
    ["a content type of two lines", JSON.stringify({ ...a, contentType: "a\nb" }), "bad-request"],
    ["a time to live of 0", JSON.stringify({ ...a, ttl: 0 }), "bad-request"],
    ["half a ms to live", JSON.stringify({ ...a, ttl: 0.5 }), "bad-request"],
    ["an end in words", JSON.stringify({ ...a, expiresAt: "soon" }), "bad-request"],
    [
      "an end and a time to live",
      JSON.stringify({ ...a, ttl: 9, expiresAt: "2031-01-01T00:00:00Z" }),
      "bad-request",
    ],
  ])("has %s, and the rest goes on", async (_, line, code) => {
    const body = Buffer.concat([
      Buffer.from(line),
      Buffer.from('\n{"op":"put","key":"next","value":"v"}\n{"op":"get","key":"a"}\n'),
    ]);
    const lines = await sendText(body);
    const answered = new Map(lines.map((each) => [each["line"], each]));
    expect(answered.get(1)).toMatchObject({ code, outcome: "refused" });
    expect(answered.get(2)).toMatchObject({ status: 204 });
    expect(answered.get(3)).toMatchObject({ status: 404 });
    expect(lines.at(-1)).toMatchObject({ done: true, failed: 1 });
  });

  it("is too long, which ends the batch after what came before", async () => {
    const long = "x".repeat(lineBytesMaxOf(valueBytesMax) + 1);
    const put = '{"op":"put","key":"a","value":"v"}';
    const lines = await sendText(`${put}\n${long}\n${put}\n`);
    expect(lines.map(({ status }) => status)).toEqual([413, 204, undefined]);
    expect(lines.at(-1)).toEqual({ done: false, lines: 2, failed: 1 });
  });
});
