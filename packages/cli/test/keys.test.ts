import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeNode } from "./fake-node.ts";
import { coterie, type Run } from "./run-coterie.ts";

let node: FakeNode;
let run: (...words: string[]) => Promise<Run>;

beforeEach(async () => {
  node = await FakeNode.start();
  run = (...words) => coterie(words, { env: { COTERIE_NODES: node.url } });
});
afterEach(() => node.stop());

describe("put and get", () => {
  it("gives back the bytes that were put, and nothing else", async () => {
    const input = Buffer.from([0, 255, 10, 13, 128]);
    const nodes = { COTERIE_NODES: node.url };
    expect((await coterie(["put", "k", "-"], { input, env: nodes })).exit).toBe(0);
    const got = await run("get", "k");
    expect(got.exit).toBe(0);
    expect(got.bytes.equals(input)).toBe(true);
    expect(got.stderr).toBe("");
  });

  it("reads the context first, so that a second put replaces the first", async () => {
    await run("put", "k", "one");
    await run("put", "k", "two");
    expect(await run("get", "k")).toMatchObject({ exit: 0, stdout: "two" });
  });

  it("leaves a blind put beside what is there", async () => {
    await run("put", "k", "one");
    const blind = await run("put", "k", "two", "--blind");
    expect(blind.exit).toBe(0);
    expect(blind.stderr).toContain("2 siblings");
  });

  it("addresses every byte of a key", async () => {
    const key64 = Buffer.from([0, 47, 37, 46, 46, 255]).toString("base64url");
    await run("put", key64, "odd", "--key64");
    expect(await run("get", key64, "--key64")).toMatchObject({ exit: 0, stdout: "odd" });
    await run("put", "a/b ü?#", "text");
    expect(await run("get", "a/b ü?#")).toMatchObject({ exit: 0, stdout: "text" });
  });

  it("prints JSON with bytes in base64", async () => {
    await run("put", "k", "one", "--content-type", "text/x");
    const got = JSON.parse((await run("get", "k", "--json")).stdout);
    expect(got).toMatchObject({
      key: "aw",
      siblings: [{ value: "b25l", contentType: "text/x" }],
    });
    expect(got.context).not.toBe("");
  });

  it("passes quorum options on to reads and writes", async () => {
    await run("put", "k", "one", "--r", "3", "--w", "2", "--timeout", "900");
    expect(node.requests.at(0)?.url).toMatch(/\?r=3&timeout=900$/u);
    expect(node.requests.at(-1)?.url).toMatch(/\?w=2&timeout=900$/u);
  });
});

describe("siblings", () => {
  beforeEach(async () => {
    await run("put", "cart", "apple", "--blind");
    await run("put", "cart", "pear", "--blind");
  });

  it("makes get exit 6, print no value, and say the line that resolves", async () => {
    const got = await run("get", "cart");
    expect(got).toMatchObject({ exit: 6, stdout: "" });
    expect(got.stderr).toContain("apple");
    expect(got.stderr).toContain("pear");
    expect(got.stderr).toContain("coterie resolve cart --pick 1");
  });

  it("are listed on standard output by siblings", async () => {
    const listed = await run("siblings", "cart");
    expect(listed.exit).toBe(0);
    expect(listed.stdout).toMatch(/^#/u);
    expect(listed.stdout).toContain("pear");
  });

  it.each([
    ["a picked one", ["--pick", "2"], "pear"],
    ["a merged value", ["apple and pear"], "apple and pear"],
  ])("become %s", async (_, words, value) => {
    expect((await run("resolve", "cart", ...words)).exit).toBe(0);
    expect(await run("get", "cart")).toMatchObject({ exit: 0, stdout: value });
  });

  it("are all deleted by delete", async () => {
    expect((await run("delete", "cart")).exit).toBe(0);
    expect((await run("get", "cart")).exit).toBe(3);
  });

  it("cannot be picked beyond their number", async () => {
    expect((await run("resolve", "cart", "--pick", "3")).exit).toBe(2);
  });
});

describe("failures", () => {
  it.each([
    ["an unknown key", ["get", "nothing"], 3],
    ["deleting an unknown key", ["delete", "nothing"], 3],
    ["an unknown command", ["gte", "k"], 2],
    ["a missing argument", ["put", "k"], 2],
    ["an empty key", ["get", ""], 2],
    ["a key that is too long", ["get", "x".repeat(2049)], 2],
    ["a bucket that cannot be one", ["get", "k", "--bucket", "A B"], 2],
    ["an address that is none", ["get", "k", "--node", "ftp://x"], 2],
    ["a context that cannot be one", ["put", "k", "v", "--context", "ä b"], 2],
    ["a content type that cannot be one", ["put", "k", "v", "--content-type", "ä"], 2],
    ["neither a value nor a pick", ["resolve", "k"], 2],
    ["a file that is not there", ["put", "k", "@/nowhere/at/all"], 1],
  ])("%s exits with its code, and says so", async (_, words, exit) => {
    const failed = await run(...words);
    expect(failed).toMatchObject({ exit, stdout: "" });
    expect(failed.stderr).not.toBe("");
  });

  it.each([
    [503, "quorum-not-met", 4],
    [504, "timeout", 4],
    [429, "overloaded", 4],
    [409, "too-many-siblings", 6],
    [413, "too-large", 2],
    [403, "forbidden", 5],
    [500, "internal", 1],
  ])("status %i (%s) says code, message and hint", async (status, code, exit) => {
    const body = { code, message: "what happened", hint: "do this", retryable: false };
    node.intercept = () => ({ status, body });
    const failed = await run("get", "k");
    expect(failed.exit).toBe(exit);
    expect(failed.stderr).toContain(`${code}: what happened`);
    expect(failed.stderr).toContain("try: do this");
  });

  it("no node at all exits 4 and names --node", async () => {
    const failed = await run("get", "k", "--node", "http://127.0.0.1:1");
    expect(failed.exit).toBe(4);
    expect(failed.stderr).toContain("--node");
  });

  it("a node that hangs is given up", async () => {
    node.intercept = () => "hang";
    expect((await run("get", "k", "--timeout", "50")).exit).toBe(4);
  });

  it("a node that cannot be reached is passed over", async () => {
    await run("put", "k", "one");
    const got = await run("get", "k", "--node", `http://127.0.0.1:1,${node.url}`);
    expect(got).toMatchObject({ exit: 0, stdout: "one" });
  });

  it("a node that is not ready is passed over", async () => {
    const starting = await FakeNode.start();
    starting.intercept = () => ({ status: 503, body: { code: "not-ready", message: "wait" } });
    await run("put", "k", "one");
    const got = await run("get", "k", "--node", starting.url, "--node", node.url);
    await starting.stop();
    expect(got).toMatchObject({ exit: 0, stdout: "one" });
  });
});
