import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { coterie, type Run } from "./run-coterie.ts";
import { nodeUrls, startDev, type RunningDev } from "./running-dev.ts";

// The fake node of the other tests is only as good as this: the same commands, a real node.

const directory = mkdtempSync(join(tmpdir(), "coterie-real-"));
const devs: RunningDev[] = [];
const urls: string[] = [];

beforeAll(async () => {
  for (const name of ["left", "right", "asked"]) {
    const data = join(directory, name);
    devs.push(await startDev(data, "--nodes", "1", "--memory", "--base-port", "0"));
    urls.push(...nodeUrls(data));
  }
}, 120_000);
afterAll(async () => {
  await Promise.all(devs.map((dev) => dev.stop()));
  rmSync(directory, { recursive: true, force: true });
});

function run(node: number, ...words: string[]): Promise<Run> {
  return coterie([...words, "--node", urls[node] ?? ""]);
}

it("exports, imports and exports again the same bytes", async () => {
  const file = join(directory, "lines.ndjson");
  const lines = Array.from({ length: 400 }, (_, index) =>
    JSON.stringify({ key: `key/${index} ü`, value: `value ${index}` }),
  );
  writeFileSync(file, lines.join("\n"));
  expect((await run(0, "import", file)).exit).toBe(0);
  const key64 = Buffer.from([255, 0, 47, 46, 46]).toString("base64url");
  await run(0, "put", key64, "odd", "--key64");
  await run(0, "put", "..", "dots");
  await run(0, "put", "both", "b", "--blind");
  await run(0, "put", "both", "a", "--blind");
  await run(0, "delete", "key/7 ü");

  const exported = join(directory, "all.ndjson");
  expect((await run(0, "export", exported, "--tombstones")).exit).toBe(0);
  const bytes = readFileSync(exported, "utf8");
  expect(bytes.split("\n")).toHaveLength(404);
  expect(bytes).toContain('{"key":"key/7 ü","deleted":true}');

  expect((await run(1, "import", exported)).exit).toBe(0);
  expect((await run(1, "export", "--tombstones")).stdout).toBe(bytes);
  const again = await run(1, "import", exported, "--json");
  expect(JSON.parse(again.stdout)).toMatchObject({ written: 0, unchanged: 403, rejected: 0 });
  expect(await run(1, "get", key64, "--key64")).toMatchObject({ exit: 0, stdout: "odd" });
  expect(await run(1, "get", "..")).toMatchObject({ exit: 0, stdout: "dots" });
}, 120_000);

it("shows, keeps and resolves siblings", async () => {
  await run(0, "put", "cart", "apple");
  await run(0, "put", "cart", "pear", "--blind");
  const got = await run(0, "get", "cart");
  expect(got).toMatchObject({ exit: 6, stdout: "" });
  expect(got.stderr).toContain("coterie resolve cart --pick 1");
  expect((await run(0, "resolve", "cart", "--pick", "2")).exit).toBe(0);
  expect(await run(0, "get", "cart")).toMatchObject({ exit: 0, stdout: "pear" });
});

// A node of its own: beside hundreds of others a key that is asked for four times is not on top.
it("shows which keys are asked for most", async () => {
  for (let at = 0; at < 4; at += 1) {
    await run(2, "get", "hot-one");
    await run(2, "put", "hot-two", `v${at}`);
  }
  const shown = await run(2, "top", "--reads", "--writes", "--once");
  expect(shown.exit).toBe(0);
  const [reads = "", writes = ""] = shown.stdout.split(/\n\n/u);
  expect(reads).toMatch(/^READ\/s +SHARE +LESS +BUCKET +KEY$/mu);
  expect(reads).toMatch(/^[\d.]+ +[\d.]+ % +default +hot-one$/mu);
  expect(writes).toMatch(/^[\d.]+ +[\d.]+ % +default +hot-two$/mu);
  expect(writes).toMatch(/writes per second in all; no other key has more than 0\.$/mu);
  const { answered, silent, ...tables } = JSON.parse(
    (await run(2, "top", "--writes", "--once", "--json")).stdout,
  );
  expect([answered, silent]).toEqual([["n1"], []]);
  expect(Object.keys(tables)).toEqual(["halfLifeMs", "writes"]);
  expect(tables.writes.keys[0].perSecond).toBeGreaterThan(0);
});

it("puts, exports and imports values that expire, but for those that have", async () => {
  const put = await run(0, "put", "lease/a", "v", "--ttl", "2h");
  expect(put.exit).toBe(0);
  const siblings = await run(0, "siblings", "lease/a", "--json");
  const { expiresAt } = JSON.parse(siblings.stdout).siblings[0];
  expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now() + 7_000_000);
  for (const ttl of ["0s", "5", "1y", "-1s", "4000d"]) {
    expect((await run(0, "put", "lease/a", "v", "--ttl", ttl)).exit).toBe(2);
  }
  const exported = await run(0, "export");
  const line = exported.stdout.split("\n").find((each) => each.includes("lease/a"));
  expect(JSON.parse(line ?? "{}")).toMatchObject({ key: "lease/a", expiresAt });
  const past = '{"key":"lease/past","value":"v","expiresAt":"2001-01-01T00:00:00.000Z"}';
  const moved = line?.replace("lease/a", "lease/b");
  const input = `${moved}\n${past}\n`;
  const env = { COTERIE_NODES: urls[0] ?? "" };
  const imported = await coterie(["import", "-", "--json"], { input, env });
  expect(JSON.parse(imported.stdout)).toMatchObject({ written: 1, unchanged: 1, rejected: 0 });
  const copied = await run(0, "siblings", "lease/b", "--json");
  expect(JSON.parse(copied.stdout).siblings).toMatchObject([{ expiresAt }]);
  const again = await coterie(["import", "-", "--json"], { input, env });
  expect(JSON.parse(again.stdout)).toMatchObject({ written: 0, unchanged: 2 });
});

it("refuses a context of another key, and one that was superseded stands beside", async () => {
  const { stdout } = await run(0, "put", "first", "1", "--json");
  const { context } = JSON.parse(stdout);
  expect((await run(0, "put", "second", "2", `--context=${context}`)).exit).toBe(2);
  expect((await run(0, "put", "first", "2", `--context=${context}`)).exit).toBe(0);
  await run(0, "put", "first", "3", `--context=${context}`);
  expect((await run(0, "get", "first")).exit).toBe(6);
});

it("describes the cluster", async () => {
  const status = await run(0, "status", "--json");
  expect(status.exit).toBe(0);
  expect(JSON.parse(status.stdout)).toMatchObject({
    isDegraded: false,
    nodes: [{ id: "n1", state: "ready", partitions: 64 }],
  });
  expect(JSON.parse(status.stdout).nodes[0].keys).toBeGreaterThan(0);
  expect(JSON.parse((await run(0, "ring", "--json")).stdout).owners).toHaveLength(64);
  const explained = await run(0, "explain", "..");
  expect(explained.exit).toBe(0);
  expect(explained.stdout).toMatch(/n1 +primary +present +1 /u);
  expect((await run(0, "get", "k", "--bucket", "unknown")).exit).toBe(3);
});

it("lists keys page by page, by prefix and from a cursor", async () => {
  for (const key of ["scan/a", "scan/b", "scan/c d", "other"]) await run(1, "put", key, key);
  await run(1, "put", "scan/b", "more", "--blind");
  const all = await run(1, "scan", "--prefix", "scan/");
  expect(all.exit).toBe(0);
  expect(all.stdout.trim().split("\n").toSorted()).toEqual([
    "scan/a\t6",
    "scan/b\t10\t2 siblings",
    "scan/c d\t8",
  ]);
  expect((await run(1, "scan", "--prefix", "scan/c d")).stdout).toBe("scan/c d\t8\n");
  const keys: string[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const from = cursor === undefined ? [] : ["--cursor", cursor];
    const page = await run(1, "scan", "--prefix", "scan/", "--limit", "1", "--json", ...from);
    const lines = page.stdout.trim().split("\n");
    ({ cursor } = JSON.parse(lines.pop() ?? "") as { cursor: string | null });
    keys.push(...lines.map((line) => (JSON.parse(line) as { key: string }).key));
  }
  const texts = keys.map((key) => Buffer.from(key, "base64url").toString());
  expect(texts.toSorted()).toEqual(["scan/a", "scan/b", "scan/c d"]);
  const begun = await run(1, "scan", "--limit", "1");
  expect(begun.stderr).toMatch(/there is more: coterie scan --bucket default --cursor \S+\n/u);
  expect((await run(1, "scan", "--cursor", "a&b")).exit).toBe(2);
  expect((await run(1, "scan", "--bucket", "nowhere")).exit).toBe(3);
});

it("finds keys by what their copies hold, page by page", async () => {
  for (const value of ["a", "b", "c"]) await run(1, "put", "found/three", value, "--blind");
  await run(1, "put", "found/gone", "v");
  await run(1, "delete", "found/gone");
  await run(1, "put", "found/large", "v".repeat(3000), "--bucket", "redis");
  const three = await run(1, "find", "--siblings", "3");
  expect(three.exit).toBe(0);
  expect(three.stdout).toMatch(
    /^SIBLINGS +BYTES +NODES +BUCKET +KEY\n +3 +\d+ +n1 +default +found\/three\n$/u,
  );
  expect(three.stderr).toBe("1 keys found; all replicas of 64 partitions answered\n");
  expect((await run(1, "find", "--tombstones")).stdout).toMatch(/ 0 +\d+ .* found\/gone$/mu);
  const large = await run(1, "find", "--larger-than", "3000", "--json", "--bucket", "redis");
  const [line = "", end = ""] = large.stdout.trim().split("\n");
  const key = Buffer.from("found/large").toString("base64url");
  const copies = [{ node: "n1", siblings: 1, bytes: expect.any(Number) }];
  expect(JSON.parse(line)).toMatchObject({ bucket: "redis", key, copies });
  const coverage = { partitions: 64, byAll: 64, bySome: [], byNone: [] };
  expect(JSON.parse(end)).toEqual({
    cursor: null,
    found: 1,
    coverage,
    problems: [],
    damaged: [],
  });
  const all = await run(1, "find", "--siblings", "1", "--replica", "n1");
  const begun = await run(1, "find", "--siblings", "1", "--limit", "2");
  const again = /there may be more: coterie (find .*)$/mu.exec(begun.stderr)?.[1]?.split(" ");
  const rest = await run(1, ...(again ?? []));
  const lines = [begun, rest].flatMap(({ stdout }) => stdout.trim().split("\n").slice(1));
  expect(lines).toEqual(all.stdout.trim().split("\n").slice(1));
  expect((await run(1, "find", "--siblings", "2", "--tombstones")).exit).toBe(2);
  expect((await run(1, "find", "--tombstones", "--bucket", "nowhere")).exit).toBe(3);
}, 120_000);

it("shows buckets", async () => {
  const listed = await run(0, "bucket", "list");
  expect(listed.exit).toBe(0);
  expect(listed.stdout).toMatch(/^default +siblings +1 +1 +1 +0 +0 +sloppy +no +none$/mu);
  expect(listed.stdout).toMatch(/^redis +lww /mu);
  await run(0, "put", "only", "one", "--bucket", "redis");
  const shown = await run(0, "bucket", "show", "redis", "--count", "--json");
  expect(JSON.parse(shown.stdout)).toMatchObject({ name: "redis", policy: "lww", keys: 1 });
  expect((await run(0, "bucket", "show", "nowhere")).exit).toBe(3);
});

it("creates and changes buckets", async () => {
  const made = await run(0, "bucket", "create", "made", "--policy", "lww");
  expect(made.exit).toBe(0);
  expect(made.stdout).toMatch(/^made +lww +1 +1 +1 +0 +0 +sloppy +no +none$/mu);
  expect(made.stderr).toMatch(/^created; the cluster document has epoch 2$/mu);
  expect((await run(0, "bucket", "create", "made", "--policy", "lww")).stderr).toMatch(
    /unchanged/u,
  );
  const conflict = await run(0, "bucket", "create", "made");
  expect(conflict.exit).toBe(6);
  expect(conflict.stderr).toMatch(/bucket-conflict: bucket made exists with policy lww, not sib/u);
  const set = await run(0, "bucket", "set", "made", "--ttl", "1m", "--json");
  expect(JSON.parse(set.stdout)).toMatchObject({ name: "made", ttlMs: 60_000, result: "changed" });
  const forever = await run(0, "bucket", "set", "made", "--ttl", "0", "--json");
  expect(JSON.parse(forever.stdout)).not.toHaveProperty("ttlMs");
  const strict = await run(0, "bucket", "set", "made", "--mode", "strict", "--json");
  expect(JSON.parse(strict.stdout)).toMatchObject({ mode: "strict", result: "changed" });
  expect((await run(0, "bucket", "set", "made", "--mode", "sloppy")).stdout).toMatch(/ sloppy /u);
  expect((await run(0, "bucket", "set", "made")).exit).toBe(2);
  expect((await run(0, "bucket", "set", "nowhere", "--pw", "1")).exit).toBe(3);
  expect((await run(0, "put", "k", "v", "--bucket", "made")).exit).toBe(0);
  expect((await run(0, "get", "k", "--bucket", "made", "--strict")).exit).toBe(0);
  expect((await run(0, "get", "k", "--strict", "--sloppy")).exit).toBe(2);
});

it("keeps what is to stay in a bucket whose values expire, also through a file", async () => {
  const bucket = ["--bucket", "brief"];
  await run(0, "bucket", "create", "brief", "--ttl", "2h");
  await run(0, "put", "goes", "v", ...bucket);
  await run(0, "put", "stays", "v", "--ttl", "never", ...bucket);
  const { stdout } = await run(0, "export", ...bucket);
  expect(stdout).toMatch(/"key":"goes".*"expiresAt":"2\d{3}-/u);
  expect(stdout).toMatch(/"key":"stays".*"expiresAt":"never"/u);
  await run(0, "bucket", "create", "copy", "--ttl", "1h");
  const env = { COTERIE_NODES: urls[0] ?? "" };
  const copy = ["import", "-", "--json", "--bucket", "copy"];
  const imported = await coterie(copy, { input: stdout, env });
  expect(JSON.parse(imported.stdout)).toMatchObject({ written: 2, rejected: 0 });
  expect((await run(0, "export", "--bucket", "copy")).stdout).toBe(stdout);
  const again = await coterie(copy, { input: stdout, env });
  expect(JSON.parse(again.stdout)).toMatchObject({ written: 0, unchanged: 2 });
  await run(0, "put", "stays", "v", "--ttl", "1h", "--bucket", "copy");
  const restored = await coterie(copy, { input: stdout, env });
  expect(JSON.parse(restored.stdout)).toMatchObject({ written: 1, unchanged: 1 });
});

it("shows the members as a node sees them", async () => {
  const shown = await run(0, "members");
  expect(shown.exit).toBe(0);
  expect(shown.stdout).toMatch(/^n1 +itself +\d.* +- +0 +- +127\.0\.0\.1:\d+ +127\.0\.0\.1:\d+ /mu);
  const json = JSON.parse((await run(0, "members", "--json")).stdout);
  expect(json).toMatchObject({ node: "n1", members: [{ id: "n1", weight: 1 }] });
});

it("watches what nodes do, and finds them well", async () => {
  let shown: Run;
  let node: Record<string, number>;
  let puts = 0;
  const put = async (): Promise<void> => {
    puts += 1;
    await fetch(`${urls[0]}/v1/buckets/default/keys/busy-${puts}`, { method: "PUT", body: "x" });
  };
  // However slow the machine is: some look has seen a put.
  do {
    const looking = run(0, "top", "--once", "--interval", "1", "--json");
    const busy = setInterval(() => void put(), 100);
    shown = await looking;
    clearInterval(busy);
    [node] = JSON.parse(shown.stdout).nodes;
  } while (node["putsPerSecond"] === 0);
  expect(shown.exit).toBe(0);
  expect(node).toMatchObject({ id: "n1", failuresPerSecond: 0 });
  expect(node["putP99Ms"]).toBeGreaterThan(0);
  expect((await run(0, "top", "--once", "--interval", "1")).stdout).toMatch(
    /^NODE +GET\/s .*\nn1 /u,
  );

  const examined = await run(0, "doctor");
  expect(examined.exit).toBe(0);
  expect(examined.stdout).toMatch(/^ok +- +document +all nodes/mu);
  expect(examined.stdout).toMatch(/^warn +n1 +data on +memory/mu);
  const { ok, findings } = JSON.parse((await run(0, "doctor", "--json")).stdout);
  expect(ok).toBe(true);
  expect(findings.length).toBeGreaterThan(8);
  expect((await coterie(["doctor", "--node", "http://127.0.0.1:1"])).exit).toBe(4);
});

it("plans a change of the members, and commits it by its hash, once", async () => {
  const planned = await run(0, "plan", "set", "n1", "--weight", "2");
  expect(planned).toMatchObject({ exit: 0 });
  expect(planned.stdout).toMatch(/^n1 +64 +64 +0 /mu);
  const [, hash = ""] = /coterie commit ([0-9a-f]+) --node/u.exec(planned.stderr) ?? [];
  const other = JSON.parse((await run(0, "plan", "set", "n1", "--weight", "3", "--json")).stdout);
  const committed = await run(0, "commit", hash.slice(0, 8), "--wait");
  expect(committed).toMatchObject({ exit: 0 });
  expect(committed.stderr).toContain("nothing has to move");
  expect(await run(0, "commit", other.hash)).toMatchObject({ exit: 6 });
  const unknown = await run(0, "commit", "0123456789ab");
  expect([unknown.exit, unknown.stderr]).toEqual([3, expect.stringContaining("no-such-plan")]);
  expect((await run(0, "commit", "0123")).exit).toBe(2);
});

it("shows members, and refuses changes that cannot be", async () => {
  const shown = await run(1, "topology");
  expect(shown.exit).toBe(0);
  expect(shown.stdout).toMatch(/^n1 +alive +stays +yes +64 +64 +0 +0 /mu);
  expect(shown.stderr).toContain("nothing moves");
  expect((await run(1, "topology", "--wait", "--json")).exit).toBe(0);
  const joined = await run(1, "join", "n9", "--yes");
  expect([joined.exit, joined.stderr]).toEqual([3, expect.stringContaining("no-such-node")]);
  const left = await run(1, "leave", "n1");
  expect([left.exit, left.stderr]).toEqual([2, expect.stringContaining("at least one node")]);
  expect(await run(1, "replace", "n1", "n9")).toMatchObject({ exit: 3 });
  const aborted = await run(1, "plan", "abort");
  expect([aborted.exit, aborted.stderr]).toEqual([0, expect.stringContaining("nothing moved")]);
  const paused = await run(0, "plan", "pause");
  expect([paused.exit, paused.stderr]).toEqual([0, expect.stringContaining("will stand still")]);
  expect((await run(0, "topology")).stderr).toContain("what is to move is paused");
  expect((await run(0, "status")).stderr).toContain("paused");
  expect((await run(0, "plan", "resume", "--json")).stdout).toContain('"partitions":0');
  expect((await run(0, "topology")).stderr).toContain("nothing moves");
});

it("gives up no voter while most of them answer, nor without their names", async () => {
  const unasked = await run(0, "config", "force-voters", "n1");
  expect(unasked.exit).toBe(2);
  expect(unasked.stderr).toContain("has to be typed");
  const refused = await run(0, "config", "force-voters", "n1", "--confirm", "n2");
  expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining("1 of 1 voters")]);
});
