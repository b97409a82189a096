import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { RealCluster } from "../src/real-cluster.ts";
import { readExcluded, readTclReport, runTclUnit, tclUnits } from "../src/redis/tcl-suite.ts";

const fileOf = (name: string): string =>
  readFileSync(new URL(`redis/${name}`, import.meta.url), "utf8");
const excluded = readExcluded(fileOf("tcl-excluded.tsv"));
const failing = readExcluded(fileOf("tcl-failing.tsv")).map(({ name }) => name);

/** Cases of the seven units that Debian's Redis 7.0 runs against a server it did not start. */
const casesMin = 232;

// What is tested is the protocol, in tens of thousands of commands, one after the other.
const inMemory = { arguments: ["--memory"] };
const portOf = (cluster: RealCluster): number => Number(cluster.endpoints[0]?.resp.split(":")[1]);

describe("Redis' own suite, in Tcl, from Debian's source package", () => {
  const passed: string[] = [];
  const failed: string[] = [];
  const skipped: string[] = [];

  it.each(tclUnits)("%s", async (unit) => {
    // Each in a cluster of its own: what is deleted is remembered, and scans walk over it.
    const cluster = await RealCluster.start(inMemory);
    try {
      const report = await runTclUnit(unit, portOf(cluster), excluded);
      passed.push(...report.passed);
      failed.push(...report.failed);
      skipped.push(...report.skipped);
      const isKnown = (line: string): boolean => failing.some((name) => line.startsWith(name));
      const news = report.failed.filter((line) => !isKnown(line));
      expect([news, report.output]).toEqual([[], expect.any(String)]);
      expect(report.output).toContain(`- ${unit}`);
    } finally {
      await cluster.stop();
    }
  });

  it("19 of 20 of the cases that are run pass", () => {
    const counts = `${passed.length} passed, ${failed.length} failed, ${skipped.length} excluded`;
    const all = passed.length + failed.length + skipped.length;
    console.info(`Redis' own suite: ${counts} of ${all}`);
    expect(all).toBeGreaterThanOrEqual(casesMin);
    expect(passed.length / (passed.length + failed.length)).toBeGreaterThanOrEqual(0.95);
  });

  it("excludes cases for commands only that are refused by name", async () => {
    const cluster = await RealCluster.start(inMemory);
    const commands = new Set(excluded.flatMap(({ uses }) => uses));
    expect(commands.size).toBeGreaterThan(0);
    const redis = new Redis(portOf(cluster));
    for (const command of commands) {
      const [name = "", ...own] = command.split(" ");
      const words = own.length > 0 ? own : ["a", "b", "c"];
      const answer = await redis.call(name, ...words).catch((error: Error) => error.message);
      expect([command, answer]).toEqual([command, expect.stringMatching(/^ERR/u)]);
      expect([command, answer]).not.toEqual([command, expect.stringContaining("wrong number")]);
    }
    redis.disconnect();
    await cluster.stop();
  });
});

it("reads what became of each case", () => {
  const report = readTclReport(
    [
      "Testing unit/quit",
      "[ok]: QUIT returns OK (1 ms)",
      "[err]: SET and GET in tests/unit/type/string.tcl",
      "Expected 'a' to equal or match 'b'",
      "[skip]: COPY basic usage for string",
      "[ignore]: Not supported on external server",
      "[exception]: Executing test client: ERR no",
      "",
    ].join("\n"),
  );
  expect(report.passed).toEqual(["QUIT returns OK"]);
  expect(report.failed).toEqual([
    "SET and GET in tests/unit/type/string.tcl",
    "Executing test client: ERR no",
  ]);
  expect(report.skipped).toEqual(["COPY basic usage for string"]);
  expect(report.ignored).toEqual(["Not supported on external server"]);
});
