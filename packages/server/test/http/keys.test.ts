import type { Hono } from "hono";
import { beforeEach, describe, expect, it } from "vitest";
import { oneNode, valueBytesMax } from "./one-node.ts";

let app: Hono;

beforeEach(async () => {
  ({ app } = await oneNode());
});

function send(
  method: string,
  path: string,
  options: { body?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  return Promise.resolve(
    app.request(`http://localhost${path}`, {
      method,
      ...(options.body !== undefined && { body: options.body }),
      headers: options.headers ?? {},
    }),
  );
}

const flag = "/v1/buckets/default/keys/flag";

async function contextOf(path: string): Promise<string> {
  return (await send("GET", path)).headers.get("coterie-context") ?? "";
}

describe("a key at the HTTP door", () => {
  it("takes siblings=all of a read, and nothing else", async () => {
    await send("PUT", flag, { body: "blue" });
    expect((await send("GET", `${flag}?siblings=all`)).status).toBe(200);
    expect((await send("HEAD", `${flag}?siblings=all`)).status).toBe(200);
    for (const [method, query] of [
      ["GET", "siblings=latest"],
      ["PUT", "siblings=all"],
    ] as const) {
      const refused = await send(method, `${flag}?${query}`);
      expect(await refused.json()).toMatchObject({ code: "bad-request" });
    }
  });

  it("takes max_stale of a read, up to a minute, and of nothing else", async () => {
    await send("PUT", flag, { body: "blue" });
    expect((await send("GET", `${flag}?max_stale=60000`)).status).toBe(200);
    expect((await send("HEAD", `${flag}?max_stale=0`)).status).toBe(200);
    for (const [method, query] of [
      ["GET", "max_stale=60001"],
      ["GET", "max_stale=soon"],
      ["PUT", "max_stale=1"],
    ] as const) {
      const refused = await send(method, `${flag}?${query}`);
      expect(await refused.json()).toMatchObject({ code: "bad-request" });
    }
  });

  it("behaviour 13: a missing key is 404, and no error of the node", async () => {
    const answer = await send("GET", flag);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: "not-found", retryable: false });
  });

  it("returns what was put, with its content type", async () => {
    const put = await send("PUT", flag, { body: "blue", headers: { "Content-Type": "text/x" } });
    expect(put.status).toBe(204);
    expect(put.headers.get("coterie-acks")).toBe("primaries=1; fallbacks=0; w=1");
    expect(put.headers.get("coterie-siblings")).toBe("1");
    const answer = await send("GET", flag);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/x");
    expect(await answer.text()).toBe("blue");
  });

  it("keeps two blind puts as siblings, and resolves them by their context", async () => {
    await send("PUT", flag, { body: "blue" });
    const second = await send("PUT", flag, { body: "red" });
    expect(second.headers.get("coterie-context")).toBeNull();
    const both = await send("GET", flag, { headers: { Accept: "application/json" } });
    expect(both.status).toBe(300);
    const { siblings } = (await both.json()) as { siblings: { value: string }[] };
    const values = siblings.map(({ value }) => Buffer.from(value, "base64").toString());
    expect(values.toSorted()).toEqual(["blue", "red"]);
    const headers = { "Coterie-Context": await contextOf(flag) };
    const resolved = await send("PUT", flag, { body: "violet", headers });
    expect(resolved.headers.get("coterie-siblings")).toBe("1");
    expect(await (await send("GET", flag)).text()).toBe("violet");
  });

  it("shows siblings as multipart to those who do not ask for JSON", async () => {
    await send("PUT", flag, { body: "blue" });
    await send("PUT", flag, { body: "red" });
    const answer = await send("GET", flag);
    const boundary = /boundary=(\S+)/u.exec(answer.headers.get("content-type") ?? "")?.[1];
    const text = await answer.text();
    expect(text.split(`--${boundary}`)).toHaveLength(4);
    expect(text).toContain("\r\n\r\nblue\r\n");
    expect(text).toContain("\r\n\r\nred\r\n");
  });

  it("behaviour 34: overwriting with the context leaves only the new value", async () => {
    await send("PUT", flag, { body: "old" });
    await send("PUT", flag, {
      body: "new",
      headers: { "Coterie-Context": await contextOf(flag) },
    });
    const answer = await send("GET", flag);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("new");
  });

  it("deletes, and gives the tombstone's context with the 404", async () => {
    await send("PUT", flag, { body: "blue" });
    expect((await send("DELETE", flag)).status).toBe(204);
    const answer = await send("GET", flag);
    expect(answer.status).toBe(404);
    expect(answer.headers.get("coterie-context")).not.toBeNull();
  });

  it("creates only what is not there with If-None-Match", async () => {
    const headers = { "If-None-Match": "*" };
    expect((await send("PUT", flag, { body: "one", headers })).status).toBe(201);
    const second = await send("PUT", flag, { body: "two", headers });
    expect(second.status).toBe(412);
    expect(second.headers.get("coterie-outcome")).toBe("refused");
  });

  it("takes a repeated write id for one write", async () => {
    const headers = { "Coterie-Write-Id": Buffer.alloc(16, 7).toString("base64url") };
    await send("PUT", flag, { body: "once", headers });
    const again = await send("PUT", flag, { body: "once", headers });
    expect(again.status).toBe(204);
    expect(again.headers.get("coterie-siblings")).toBe("1");
  });

  it("returns the siblings after the write when asked", async () => {
    const answer = await send("PUT", `${flag}?return_body=true`, { body: "blue" });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ siblings: [{ value: "Ymx1ZQ==" }] });
  });

  it("keeps slashes, dots and any bytes as parts of keys", async () => {
    for (const key of ["a%2Fb", "...", "%00%FF%0d%0a", "__proto__", "%E4%BD%A0"]) {
      const path = `/v1/buckets/default/keys/${key}`;
      expect((await send("PUT", path, { body: key })).status).toBe(204);
      expect(await (await send("GET", path)).text()).toBe(key);
    }
  });

  it.each([
    ["application/json", 300, "application/json"],
    ["application/json;q=0.9, */*;q=0.1", 300, "application/json"],
    ["application/json, text/plain, */*", 300, "multipart/mixed"],
    ["multipart/mixed, application/json;q=0.5", 300, "multipart/mixed"],
    ["text/html", 300, "multipart/mixed"],
  ])("shows siblings to a client that accepts %s", async (accept, status, contentType) => {
    await send("PUT", flag, { body: "blue" });
    await send("PUT", flag, { body: "red" });
    const answer = await send("GET", flag, { headers: { Accept: accept } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain(contentType);
  });

  it("tells browsers to run nothing that was stored", async () => {
    const page = { body: "<script>", headers: { "Content-Type": "text/html" } };
    await send("PUT", flag, page);
    const answer = await send("GET", flag);
    expect(answer.headers.get("content-security-policy")).toBe("sandbox");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("answers HEAD without a body", async () => {
    await send("PUT", flag, { body: "blue" });
    const answer = await send("HEAD", flag);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-length")).toBe("4");
    expect(await answer.text()).toBe("");
  });
});

describe("a value that never expires", () => {
  it("stays in a bucket whose values expire", async () => {
    const headers = { "Content-Type": "application/json" };
    await send("PATCH", "/v1/buckets/default", { body: '{"ttlMs":60000}', headers });
    await send("PUT", flag, { body: "v" });
    const goes = await send("GET", flag);
    expect(goes.headers.get("coterie-expires-at")).toMatch(/^20\d\d-/u);
    const context = goes.headers.get("coterie-context") ?? "";
    const stays = await send("PUT", `${flag}?ttl=never`, {
      body: "w",
      headers: { "Coterie-Context": context },
    });
    expect(stays.status).toBe(204);
    expect((await send("GET", flag)).headers.get("coterie-expires-at")).toBeNull();
    const both = await send("PUT", `${flag}?ttl=never`, {
      body: "w",
      headers: { "Coterie-Expires-At": "2101-02-28T12:00:00.000Z" },
    });
    expect(await both.json()).toMatchObject({ code: "bad-request" });
  });
});

describe("a value with a time to live", () => {
  const expiresAt = "2101-02-28T12:00:00.000Z";

  it("says when it expires, as header and as JSON, and a value that stays does not", async () => {
    const before = Date.now();
    expect((await send("PUT", `${flag}?ttl=60000`, { body: "v" })).status).toBe(204);
    const answer = await send("GET", flag);
    const at = Date.parse(answer.headers.get("coterie-expires-at") ?? "");
    expect(at).toBeGreaterThanOrEqual(before + 60_000);
    expect(at).toBeLessThanOrEqual(Date.now() + 60_000);
    const json = await send("GET", flag, { headers: { Accept: "application/json" } });
    expect(await json.json()).toMatchObject({
      siblings: [{ expiresAt: answer.headers.get("coterie-expires-at") }],
    });
    const context = answer.headers.get("coterie-context") ?? "";
    await send("PUT", flag, { body: "w", headers: { "Coterie-Context": context } });
    expect((await send("GET", flag)).headers.get("coterie-expires-at")).toBeNull();
  });

  it("may be given a time instead, and says so beside others", async () => {
    const headers = { "Coterie-Expires-At": expiresAt };
    await send("PUT", flag, { body: "blue", headers });
    await send("PUT", flag, { body: "red" });
    const answer = await send("GET", flag);
    expect(answer.status).toBe(300);
    expect(answer.headers.get("coterie-expires-at")).toBeNull();
    expect((await answer.text()).match(/Coterie-Expires-At: .*/gu)).toEqual([
      `Coterie-Expires-At: ${expiresAt}`,
    ]);
  });

  it("is not found once it has expired, and its context covers it", async () => {
    await send("PUT", flag, {
      body: "v",
      headers: { "Coterie-Expires-At": "2001-01-01T00:00:00Z" },
    });
    const gone = await send("GET", flag);
    expect(gone.status).toBe(404);
    const context = gone.headers.get("coterie-context") ?? "";
    expect(context).not.toBe("");
    const put = await send("PUT", flag, { body: "w", headers: { "Coterie-Context": context } });
    expect(put.headers.get("coterie-siblings")).toBe("1");
  });
});

describe("what the HTTP door refuses", () => {
  it.each([
    ["an unknown option", "GET", `${flag}?foo=1`, {}, 400, "bad-request"],
    ["r = 0", "GET", `${flag}?r=0`, {}, 400, "bad-request"],
    ["r beyond n", "GET", `${flag}?r=2`, {}, 400, "bad-request"],
    ["a negative r", "GET", `${flag}?r=-1`, {}, 400, "bad-request"],
    ["n as a number that is none", "GET", `${flag}?w=NaN`, {}, 400, "bad-request"],
    ["a time to live of some day", "PUT", `${flag}?ttl=Infinity`, {}, 400, "bad-request"],
    ["a time to live of 0", "PUT", `${flag}?ttl=0`, {}, 400, "bad-request"],
    ["a negative time to live", "PUT", `${flag}?ttl=-5`, {}, 400, "bad-request"],
    ["a time to live of centuries", "PUT", `${flag}?ttl=99999999999999`, {}, 400, "bad-request"],
    ["a time to live of a get", "GET", `${flag}?ttl=5`, {}, 400, "bad-request"],
    ["an end in words", "PUT", flag, { "Coterie-Expires-At": "tomorrow" }, 400, "bad-request"],
    [
      "an end and a time to live",
      "PUT",
      `${flag}?ttl=5`,
      { "Coterie-Expires-At": "2031-01-01T00:00:00Z" },
      400,
      "bad-request",
    ],
    ["a forged context", "PUT", flag, { "Coterie-Context": "AAAA" }, 400, "bad-context"],
    ["a write id of another length", "PUT", flag, { "Coterie-Write-Id": "AA" }, 400, "bad-request"],
    ["an entity tag", "PUT", flag, { "If-None-Match": '"x"' }, 501, "not-yet"],
    ["an encoded body", "PUT", flag, { "Content-Encoding": "gzip" }, 415, "bad-request"],
    [
      "an announced length over the limit",
      "PUT",
      flag,
      { "Content-Length": "99999999" },
      413,
      "too-large",
    ],
    ["a bucket nobody made", "GET", "/v1/buckets/other/keys/k", {}, 404, "no-such-bucket"],
    ["a malformed bucket", "GET", "/v1/buckets/UP/keys/k", {}, 400, "bad-request"],
    ["an empty key", "GET", "/v1/buckets/default/keys/", {}, 400, "bad-request"],
    ["a malformed escape", "GET", "/v1/buckets/default/keys/%zz", {}, 400, "bad-request"],
    [
      "a key that is too long",
      "GET",
      `/v1/buckets/default/keys/${"k".repeat(2049)}`,
      {},
      400,
      "bad-request",
    ],
    ["a batch that is not called one", "POST", "/v1/batch", {}, 415, "bad-request"],
    ["an option of writes for a read", "GET", `${flag}?w=1`, {}, 400, "bad-request"],
    ["an option given twice", "GET", `${flag}?r=1&r=1`, {}, 400, "bad-request"],
    ["a timeout of none", "GET", `${flag}?timeout=0`, {}, 400, "bad-request"],
    ["a timeout beyond the limit", "GET", `${flag}?timeout=60001`, {}, 400, "bad-request"],
    ["a strict that is neither", "GET", `${flag}?strict=maybe`, {}, 400, "bad-request"],
    ["an option named as an object's", "GET", `${flag}?__proto__=1`, {}, 400, "bad-request"],
    ["a slash that is not encoded", "GET", `${flag}/more`, {}, 400, "bad-request"],
    ["a condition not understood", "PUT", flag, { "If-Match": '"x"' }, 501, "not-yet"],
    ["a part of a value", "PUT", flag, { "Content-Range": "bytes 0-1/2" }, 501, "not-yet"],
    [
      "a content type over its limit",
      "PUT",
      flag,
      { "Content-Type": "x".repeat(256) },
      400,
      "bad-request",
    ],
    ["a condition for a delete", "DELETE", flag, { "If-None-Match": "*" }, 400, "bad-request"],
    [
      "a delete's malformed write id",
      "DELETE",
      flag,
      { "Coterie-Write-Id": "x" },
      400,
      "bad-request",
    ],
    ["an unknown bucket's replica", "GET", "/v1/replica/other/k", {}, 404, "no-such-bucket"],
    ["an unknown bucket's explanation", "GET", "/v1/explain/other/k", {}, 404, "no-such-bucket"],
    ["an unknown bucket's settings", "GET", "/v1/buckets/other", {}, 404, "no-such-bucket"],
    ["an unknown bucket's scan", "GET", "/v1/buckets/other/keys", {}, 404, "no-such-bucket"],
    ["an unknown option of a scan", "GET", "/v1/buckets/default/keys?r=1", {}, 400, "bad-request"],
    ["a scan of -1", "GET", "/v1/buckets/default/keys?limit=-1", {}, 400, "bad-request"],
    ["a scan from nowhere", "GET", "/v1/buckets/default/keys?cursor=x", {}, 400, "bad-request"],
    ["a write to a scan", "POST", "/v1/buckets/default/keys", {}, 405, "bad-request"],
    ["a write to the ring", "DELETE", "/v1/ring", {}, 405, "bad-request"],
    ["a batch that is read", "GET", "/v1/batch", {}, 405, "bad-request"],
    [
      "a limit given twice",
      "GET",
      "/v1/buckets/default/keys?limit=1&limit=1",
      {},
      400,
      "bad-request",
    ],
    ["a route that is none", "GET", "/v2/keys", {}, 404, "not-found"],
    ["a method that is none", "PATCH", flag, {}, 405, "bad-request"],
    ["another machine's Host", "GET", flag, { Host: "evil.example" }, 400, "bad-request"],
  ] as const)("%s", async (_, method, path, headers, status, code) => {
    const body = method === "PUT" ? { body: "x" } : {};
    const answer = await send(method, path, { ...body, headers });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code });
  });

  it("a body over the limit", async () => {
    const answer = await send("PUT", flag, { body: "x".repeat(valueBytesMax + 1) });
    expect(answer.status).toBe(413);
  });

  it("a context taken from another key", async () => {
    await send("PUT", flag, { body: "blue" });
    const headers = { "Coterie-Context": await contextOf(flag) };
    const answer = await send("PUT", `${flag}2`, { body: "x", headers });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "bad-context" });
  });
});

describe("the routes of an operator", () => {
  it("show cluster, ring, bucket, explanation, own copy and readiness", async () => {
    await send("PUT", flag, { body: "blue" });
    expect(await (await send("GET", "/v1/cluster")).json()).toMatchObject({ epoch: 1 });
    expect(await (await send("GET", "/v1/ring")).json()).toMatchObject({ partitions: 8 });
    expect(await (await send("GET", "/v1/buckets/redis")).json()).toMatchObject({ policy: "lww" });
    const explained = await (await send("GET", "/v1/explain/default/flag")).json();
    expect(explained).toMatchObject({ replicas: [{ node: "n1", state: "present" }] });
    const own = await (await send("GET", "/v1/replica/default/flag")).json();
    expect(own).toMatchObject({ siblings: [{ value: "Ymx1ZQ==" }] });
    expect((await send("GET", "/readyz")).status).toBe(200);
    expect((await send("GET", "/livez")).status).toBe(200);
  });

  it("scan the keys that begin with some bytes", async () => {
    for (const key of ["a%2Fb", "a%FFb", "b"]) {
      await send("PUT", `/v1/buckets/default/keys/${key}`, { body: "x" });
    }
    const answer = await send("GET", "/v1/buckets/default/keys?prefix=a%FF");
    const lines = (await answer.text()).trim().split("\n");
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      key: Buffer.from([0x61, 0xff, 0x62]).toString("base64url"),
      siblings: 1,
      bytes: 1,
    });
  });

  it("scan a bucket page by page, each key once", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `key-${index}`);
    for (const name of names) {
      await send("PUT", `/v1/buckets/default/keys/${name}`, { body: name });
    }
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const from = cursor === "" ? "" : `&cursor=${cursor}`;
      const answer = await send("GET", `/v1/buckets/default/keys?limit=7${from}`);
      const lines = (await answer.text()).trim().split("\n");
      const last = JSON.parse(lines.pop() as string) as { cursor: string | null };
      for (const line of lines) {
        const { key } = JSON.parse(line) as { key: string };
        seen.push(Buffer.from(key, "base64url").toString());
      }
      cursor = last.cursor;
    }
    expect(seen.toSorted()).toEqual(names.toSorted());
  });
});
