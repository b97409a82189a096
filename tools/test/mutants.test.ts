import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readMutants } from "../src/mutants/mutant.ts";

const root = join(import.meta.dirname, "../..");
const mutants = readMutants(join(root, "tools/mutants"));

describe("planted bugs", () => {
  it("are at least twelve", () => {
    expect(mutants.length).toBeGreaterThanOrEqual(12);
  });

  it.each(mutants)("$name applies to the code as it is", ({ file }) => {
    const applied = spawnSync("git", ["apply", "--check", file], { cwd: root, encoding: "utf8" });
    expect(applied.stderr).toBe("");
    expect(applied.status).toBe(0);
  });

  it.each(mutants)("$name names a scenario that is there", ({ scenario, story }) => {
    expect(story).not.toBe("");
    if (scenario !== undefined) {
      expect(existsSync(join(root, "packages/sim/testdata", scenario))).toBe(true);
    }
  });

  it("have a scenario that tells them where no seed can show them", () => {
    const beyond = mutants.filter(({ beyondSeeds }) => beyondSeeds !== undefined);
    expect(beyond.filter(({ scenario }) => scenario === undefined)).toEqual([]);
    expect(beyond.length).toBeLessThanOrEqual(mutants.length / 20);
  });
});
