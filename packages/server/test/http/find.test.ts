import { beforeAll, describe, expect, it } from "vitest";
import type { HttpDoor } from "../../src/doors/http/listen.ts";
import { openDoor } from "./open-door.ts";

const names = Array.from({ length: 300 }, (_, at) => `key-${at}`);
let door: HttpDoor;

async function send(method: string, path: string, body?: string): Promise<Response> {
  const init = body === undefined ? { method } : { method, body };
  return fetch(`http://${door.address}/v1/${path}`, init);
}

beforeAll(async () => {
  ({ door } = await openDoor());
  const lines = names.map((key) => `{"op":"put","key":"${key}","value":"v"}\n`).join("");
  await fetch(`http://${door.address}/v1/batch`, {
    method: "POST",
    body: lines,
    headers: { "Content-Type": "application/x-ndjson" },
  }).then((answer) => answer.text());
  for (const value of ["a", "b"]) await send("PUT", "buckets/default/keys/two", value);
  await send("PUT", "buckets/redis/keys/long", "v".repeat(2000));
  await send("DELETE", "buckets/default/keys/key-7");
  return () => door.close(0);
});

interface Line {
  readonly key?: string;
  readonly bucket?: string;
  readonly cursor?: string | null;
}

async function find(query: string): Promise<{ readonly keys: Line[]; readonly end: Line }> {
  const answer = await send("GET", `find?${query}`);
  expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  const lines = (await answer.text()).trim().split("\n");
  const end = JSON.parse(lines.pop() ?? "") as Line;
  return { keys: lines.map((line) => JSON.parse(line) as Line), end };
}

describe("GET /v1/find", () => {
  it("answers with the keys of which the node holds siblings, a tombstone or much", async () => {
    const hex = expect.stringMatching(/^[0-9a-f]{16}$/u);
    const place = { token: hex, partition: expect.any(Number) };
    const two = { bucket: "default", key: base64("two"), ...place, siblings: 2 };
    const siblings = await find("siblings=2");
    expect(siblings.keys).toEqual([{ ...two, bytes: expect.any(Number) }]);
    expect(siblings.end).toEqual({ cursor: null, node: "n1", isWhole: true });
    const tombstones = await find("tombstones=true");
    expect(tombstones.keys).toMatchObject([{ key: base64("key-7"), siblings: 0 }]);
    const larger = await find("larger_than=2000");
    expect(larger.keys).toMatchObject([{ bucket: "redis", key: base64("long"), siblings: 1 }]);
    expect((await find("larger_than=2000&bucket=default")).keys).toEqual([]);
  });

  it("goes on from the cursor of a page", async () => {
    const keys: string[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const from: string = cursor === undefined ? "" : `&cursor=${cursor}`;
      const page = await find(`siblings=1&limit=10${from}`);
      keys.push(...page.keys.map(({ key }) => String(key)));
      ({
        end: { cursor = null },
      } = page);
    }
    const held = [...names.filter((name) => name !== "key-7"), "two", "long"];
    expect(keys.toSorted()).toEqual(held.map(base64).toSorted());
  });

  it.each([
    ["", /one of siblings, tombstones and larger_than/u],
    ["siblings=2&tombstones=true", /one of siblings, tombstones and larger_than/u],
    ["siblings=2&siblings=3", /twice/u],
    ["siblings=0", /at least 1/u],
    ["siblings=two", /whole number/u],
    ["tombstones=yes", /tombstones is true/u],
    ["larger_than=-1", /whole number/u],
    ["tombstones=true&limit=x", /whole number/u],
    ["tombstones=true&limit=0", /from 1 to 10000/u],
    ["tombstones=true&cursor=x", /cursor/u],
    ["tombstones=true&bucket=UP", /bucket/u],
    ["tombstones=true&prefix=a", /no option "prefix"/u],
  ])("refuses ?%s", async (query, message) => {
    const answer = await send("GET", `find?${query}`);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { message: string }).message).toMatch(message);
  });
});

function base64(name: string): string {
  return Buffer.from(name).toString("base64url");
}
