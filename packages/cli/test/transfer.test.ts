import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeNode } from "./fake-node.ts";
import { command, coterie, type Run } from "./run-coterie.ts";

let node: FakeNode;
let directory: string;
let file: string;

beforeEach(async () => {
  node = await FakeNode.start();
  directory = mkdtempSync(join(tmpdir(), "coterie-cli-"));
  file = join(directory, "lines.ndjson");
});
afterEach(async () => {
  await node.stop();
  rmSync(directory, { recursive: true, force: true });
});

function run(...words: string[]): Promise<Run> {
  return coterie(words, { env: { COTERIE_NODES: node.url } });
}

function writeLines(count: number): void {
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ key: `key ${index}`, value: `value ${index} é`, contentType: "text/x" }),
  );
  writeFileSync(file, `${lines.join("\n")}\n`);
}

function valueOf(key: string): string | undefined {
  return node.records.get(Buffer.from(key).toString("latin1"))?.siblings[0]?.value.toString();
}

describe("import", () => {
  it("writes every line, and nothing the second time", async () => {
    writeLines(300);
    const first = await run("import", file, "--json");
    expect(first.exit).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ written: 300, unchanged: 0, rejected: 0 });
    expect(valueOf("key 299")).toBe("value 299 é");
    const writes = node.writes;
    const second = await run("import", file, "--json");
    expect(JSON.parse(second.stdout)).toMatchObject({ written: 0, unchanged: 300 });
    expect(node.writes).toBe(writes);
    expect(existsSync(`${file}.coterie-progress`)).toBe(false);
  });

  it("resolves siblings, and lets the last of several lines of one key win", async () => {
    await run("put", "k", "a", "--blind");
    await run("put", "k", "b", "--blind");
    const input = '{"key":"k","value":"1"}\n{"key":"k","value":"2"}\n';
    const nodes = { COTERIE_NODES: node.url };
    expect((await coterie(["import", "-"], { input, env: nodes })).exit).toBe(0);
    expect(await run("get", "k")).toMatchObject({ exit: 0, stdout: "2" });
  });

  it("puts bad lines into the rejects file and exits 1", async () => {
    const bad = ["no json", '{"key":"","value":"x"}'];
    writeFileSync(file, `{"key":"a","value":"1"}\n${bad.join("\n")}\n{"key":"b","value":"2"}`);
    const imported = await run("import", file);
    expect(imported.exit).toBe(1);
    expect(imported.stderr).toContain("line 2: ");
    expect(readFileSync(join(directory, "lines.rejects.ndjson"), "utf8")).toBe(
      `${bad.join("\n")}\n`,
    );
    expect(valueOf("b")).toBe("2");
  });

  it("puts a line that the cluster refuses into the rejects file", async () => {
    writeLines(5);
    node.intercept = ({ method, url }) =>
      method === "PUT" && url.includes("key%203")
        ? { status: 413, body: { code: "too-large", message: "no" } }
        : undefined;
    expect((await run("import", file)).exit).toBe(1);
    expect(readFileSync(join(directory, "lines.rejects.ndjson"), "utf8")).toContain('"key 3"');
    expect(node.records.size).toBe(4);
  });

  it("reads CSV with a header and keeps the header in the rejects file", async () => {
    const csv = join(directory, "rows.csv");
    writeFileSync(csv, 'key,value\nk,"a\n""b"""\nbad\n');
    expect((await run("import", csv)).exit).toBe(1);
    expect(valueOf("k")).toBe('a\n"b"');
    expect(readFileSync(join(directory, "rows.rejects.csv"), "utf8")).toBe("key,value\nbad\n");
  });

  it("stands beside what is there in mode sibling, once", async () => {
    await run("put", "k", "mine");
    writeFileSync(file, '{"key":"k","value":"theirs"}\n');
    await run("import", file, "--mode", "sibling");
    await run("import", file, "--mode", "sibling");
    const values = node.records.get("k")?.siblings.map(({ value }) => value.toString());
    expect(values).toEqual(["mine", "theirs"]);
  });

  it("repeats a failed write under the same id, at another node", async () => {
    const second = await FakeNode.start();
    second.intercept = () => ({
      status: 503,
      body: { code: "quorum-not-met", message: "alone", retryable: true },
    });
    writeLines(20);
    const imported = await run("import", file, "--node", `${second.url},${node.url}`);
    await second.stop();
    expect(imported.exit).toBe(0);
    expect(node.records.size).toBe(20);
    const ids = second.requests
      .filter(({ method }) => method === "PUT")
      .map(({ headers }) => headers["coterie-write-id"]);
    const repeated = node.requests.filter(({ headers }) =>
      ids.includes(headers["coterie-write-id"]),
    );
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(repeated.map(({ headers }) => headers["coterie-write-id"])).size).toBe(
      new Set(ids).size,
    );
  });

  it("ends when the bucket does not exist, and can be repeated", async () => {
    writeLines(100);
    node.intercept = ({ url }) =>
      url.includes("/buckets/")
        ? { status: 404, body: { code: "no-such-bucket", message: "none" } }
        : undefined;
    expect((await run("import", file)).exit).toBe(3);
    node.intercept = () => undefined;
    expect((await run("import", file)).exit).toBe(0);
    expect(node.records.size).toBe(100);
  });
});

describe("an import killed at half", () => {
  it("sends at most 55 % again, and everything arrives", async () => {
    const count = 3000;
    writeLines(count);
    const child = spawn(process.execPath, [command, "import", file, "--node", node.url], {
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    node.intercept = () => {
      if (node.records.size >= count / 2) child.kill("SIGKILL");
      return undefined;
    };
    await ended;
    node.intercept = () => undefined;
    const before = node.requests.length;
    const resumed = await run("import", file, "--json");
    expect(resumed.exit).toBe(0);
    const again = node.requests.slice(before).filter(({ method }) => method === "GET").length;
    expect(again).toBeLessThanOrEqual(count * 0.55);
    expect(node.records.size).toBe(count);
  });

  it("starts over in another cluster", async () => {
    writeLines(200);
    node.intercept = ({ method }) =>
      method === "PUT" && node.records.size >= 150
        ? { status: 401, body: { code: "unauthenticated", message: "who" } }
        : undefined;
    expect((await run("import", file)).exit).toBe(5);
    expect(existsSync(`${file}.coterie-progress`)).toBe(true);
    node.intercept = () => undefined;
    node.records.clear();
    node.clusterId = "another";
    expect((await run("import", file)).exit).toBe(0);
    expect(node.records.size).toBe(200);
  });
});

describe("export", () => {
  it("writes what import reads: siblings, bytes and tombstones, byte for byte", async () => {
    writeLines(50);
    await run("import", file);
    const key64 = Buffer.from([255, 0]).toString("base64url");
    await run("put", key64, "-", "--key64");
    await run("put", "both", "b", "--blind");
    await run("put", "both", "a", "--blind");
    await run("delete", "key 7");
    const first = await run("export", "--tombstones");
    expect(first.exit).toBe(0);
    expect(first.stdout).toContain('{"key":"key 7","deleted":true}');
    const exported = join(directory, "all.ndjson");
    expect((await run("export", exported, "--tombstones")).exit).toBe(0);
    expect(readFileSync(exported, "utf8")).toBe(first.stdout);

    const other = await FakeNode.start();
    expect((await run("import", exported, "--node", other.url)).exit).toBe(0);
    const second = await run("export", "--tombstones", "--node", other.url);
    const unchanged = await run("import", exported, "--node", other.url, "--json");
    await other.stop();
    expect(second.stdout).toBe(first.stdout);
    expect(JSON.parse(unchanged.stdout)).toMatchObject({ written: 0, unchanged: 52 });
  });

  it("leaves no file behind when it fails", async () => {
    node.intercept = ({ url }) =>
      url.includes("/keys?")
        ? { status: 401, body: { code: "unauthenticated", message: "who" } }
        : undefined;
    const target = join(directory, "all.ndjson");
    expect((await run("export", target)).exit).toBe(5);
    expect(existsSync(target)).toBe(false);
    expect(existsSync(`${target}.partial`)).toBe(false);
  });
});
