import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const coterie = fileURLToPath(import.meta.resolve("coterie/bin/coterie.js"));

/** What a bench printed; it leaves nothing behind. */
function bench(words: string): string {
  const data = mkdtempSync(join(tmpdir(), "coterie-bench-long-"));
  try {
    const all = [coterie, "bench", ...words.split(" "), "--data", data];
    const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: "utf8" });
    // 1: what is aimed at may be missed on a machine that does other things, too.
    expect([[0, 1], stderr]).toEqual([
      expect.arrayContaining([status]),
      expect.not.stringContaining("coterie bench"),
    ]);
    expect(readdirSync(data)).toEqual([]);
    return stdout;
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

it("offers an open loop while a node is killed, and tells of it", () => {
  const printed = bench("tails --only killed --seconds 2 --peak-seconds 1 --keys 500");
  const rows = printed.split("\n").filter((line) => /(?:reached|MISSED) /u.test(line));
  expect(rows.map((row) => row.split(" ")[0])).toEqual(["killed"]);
}, 300_000);

it("keeps a cluster under load, and finds every acknowledged write through each node", () => {
  const printed = bench("soak --minutes 0.5 --keys 300 --peak-seconds 1");
  const checks = printed.split("\n").filter((line) => line.includes("through n"));
  expect(checks.map((line) => line.replace(/ \d+ keys/u, " some keys"))).toEqual(
    ["n1", "n2", "n3"].map(
      (id) => `reached through ${id}: some keys read, 0 acknowledged writes lost, 0 unreadable`,
    ),
  );
  expect(printed).toMatch(/ [1-9] kills, each away for 3 s; all compared in \d/u);
}, 300_000);

it("starts a node on keys that were written without it", () => {
  const printed = bench("many-keys --keys 20000 --seconds 1");
  expect(printed).toMatch(/^start after a stop: ready in /mu);
  expect(printed).toMatch(/^start after a kill: ready in /mu);
  expect(printed).toMatch(/^index: [34]\d\.\d B per key/mu);
  expect(printed).toMatch(/^write amplification of updates: \d/mu);
}, 300_000);

it("fills a store over each engine, kills its process, and finds what was acknowledged", () => {
  const printed = bench("engines --gb 0.01 --seconds 0.5");
  for (const row of ["fill, a second", "overwrites, p99 ms", "start after a kill, ms"]) {
    expect(printed).toMatch(new RegExp(`^${row} +[\\d.]+ +[\\d.]+ +[\\d.]+$`, "mu"));
  }
  const counts = /as they were acknowledged last: (\d+) of log, (\d+) of leveldb/u.exec(printed);
  // 2000 from everywhere; how many more there are depends on how many are overwritten in time.
  for (const count of counts?.slice(1) ?? ["0"]) expect(Number(count)).toBeGreaterThan(2000);
}, 300_000);
