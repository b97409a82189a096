import { beforeAll, describe, expect, it } from "vitest";
import type { CoterieNode, ScanOutcome } from "@coterie/cluster";
import type { HttpDoor } from "../../src/doors/http/listen.ts";
import { openDoor } from "./open-door.ts";
import { RawClient } from "./raw-client.ts";

const names = Array.from({ length: 1000 }, (_, at) => `key-${at}`);
let door: HttpDoor;
let node: CoterieNode;

beforeAll(async () => {
  ({ door, node } = await openDoor());
  const lines = names.map((key) => `{"op":"put","key":"${key}","value":"v"}\n`).join("");
  await fetch(`http://${door.address}/v1/batch`, {
    method: "POST",
    body: lines,
    headers: { "Content-Type": "application/x-ndjson" },
  }).then((answer) => answer.text());
  return () => door.close(0);
});

type Line = Readonly<Record<string, unknown>>;

async function scan(query: string): Promise<{ readonly keys: string[]; readonly end: Line }> {
  const answer = await fetch(`http://${door.address}/v1/buckets/default/keys?${query}`);
  expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  const lines = (await answer.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  const keys = lines
    .slice(0, -1)
    .map(({ key }) => Buffer.from(String(key), "base64url").toString());
  return { keys, end: lines.at(-1) as Line };
}

describe("limit=all", () => {
  it("streams a whole bucket, each key once", async () => {
    const { keys, end } = await scan("limit=all");
    expect(keys.toSorted()).toEqual(names.toSorted());
    expect(end).toEqual({ cursor: null });
  });

  it("goes on from a cursor, in the order of the pages", async () => {
    const { keys: all } = await scan("limit=all");
    const { keys: first, end } = await scan("limit=100");
    const { keys: rest } = await scan(`limit=all&cursor=${String(end["cursor"])}`);
    expect([...first, ...rest]).toEqual(all);
  });

  it("keeps to a prefix", async () => {
    const { keys } = await scan("limit=all&prefix=key-99");
    expect(keys.toSorted()).toEqual(names.filter((name) => name.startsWith("key-99")).toSorted());
  });

  it("ends with the failure and the cursor to go on from when it cannot go on", async () => {
    const inner = node.scan.bind(node);
    let pages = 0;
    node.scan = async (bucket, options): Promise<ScanOutcome> => {
      pages += 1;
      if (pages < 3) return inner(bucket, options);
      const acks = { primaries: 1, fallbacks: 0, required: 2 };
      return {
        ok: false,
        code: "quorum-not-met",
        message: "two are down",
        outcome: "refused",
        acks,
      };
    };
    const { keys, end } = await scan("limit=all");
    node.scan = inner;
    expect(end).toMatchObject({ code: "quorum-not-met", retryable: true });
    const { keys: rest } = await scan(`limit=all&cursor=${String(end["cursor"])}`);
    expect([...keys, ...rest].toSorted()).toEqual(names.toSorted());
  });

  it("reads no further pages than its client takes", async () => {
    // Pages without an end, so that it could never be read whole.
    const inner = node.scan.bind(node);
    let pages = 0;
    node.scan = async (bucket, options): Promise<ScanOutcome> => {
      pages += 1;
      const page = await inner(bucket, { ...options, cursor: undefined });
      return page.ok ? { ...page, cursor: "0000000000000000" } : page;
    };
    const client = new RawClient(door.address);
    client.socket.pause();
    client.send("GET /v1/buckets/default/keys?limit=all HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let before = -1;
    while (before !== pages) {
      before = pages;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(before).toBeGreaterThan(1);
    client.close();
    await client.untilClosed();
    node.scan = inner;
    // Nothing goes on for a client that has left.
    expect((await scan("limit=all")).keys).toHaveLength(names.length);
    expect(pages).toBe(before);
  });
});

describe("members and buckets", () => {
  it("are listed, with who is reachable from here", async () => {
    const members = await fetch(`http://${door.address}/v1/members`);
    expect(await members.json()).toMatchObject({
      node: "n1",
      epoch: 1,
      localHealth: 0,
      members: [{ id: "n1", isReachable: true, state: "alive", incarnation: 0, rttMs: null }],
    });
    const buckets = await fetch(`http://${door.address}/v1/buckets`);
    expect(await buckets.json()).toMatchObject({
      buckets: [{ name: "default" }, { name: "redis" }],
    });
  });
});
