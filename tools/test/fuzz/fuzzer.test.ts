import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../..", import.meta.url).pathname;

/** Fuzzes a planted target with the built command; the seed and the runs decide everything. */
function fuzz(planted: string, ...options: readonly string[]): { status: number; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["tools/dist/fuzz.js", "--target", `tools/test/fuzz/planted/${planted}.target.ts`].concat(
      ["--seed", "1", "--seconds", "1000"],
      options,
    ),
    { cwd: root, encoding: "utf8" },
  );
  return { status: status ?? -1, output: stdout + stderr };
}

const inputFile = /--input (\S+)/u;

describe("the fuzzer", () => {
  const runs = ["--runs", "200000"];

  it("finds a bug behind five nested conditions, and can replay it", () => {
    const found = fuzz("nested", ...runs);
    expect(found.output).toContain("RangeError: the planted bug");
    expect(found.status).toBe(1);
    const file = inputFile.exec(found.output)?.[1] ?? "";
    expect(readFileSync(file).subarray(0, 4).toString("latin1")).toBe("ETOC");
    const replayed = fuzz("nested", "--input", file);
    expect(replayed.output).toContain("RangeError: the planted bug");
  });

  it("does not find it as blindly as random bytes are, with the same runs", () => {
    const blind = fuzz("nested", ...runs, "--blind");
    expect(blind.output).toContain("0 findings");
    expect(blind.status).toBe(0);
  });

  it("survives a loop without end, and keeps the input", () => {
    const found = fuzz("hang", ...runs);
    expect(found.output).toContain("an input hangs");
    expect(readFileSync(inputFile.exec(found.output)?.[1] ?? "")[0]).toBe(0x4c);
  });

  it("reports memory that an announced length takes", () => {
    const found = fuzz("greed", "--runs", "2000");
    expect(found.output).toContain("bytes or elements were asked for");
    expect(found.status).toBe(1);
  });
});
