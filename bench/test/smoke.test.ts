import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Report } from "../src/report/report.ts";
import { workloadNames } from "../src/workload/mix.ts";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "coterie-bench-"));
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(words: string): Promise<Outcome> {
  const data = ["--data", join(directory, "data")];
  const child = spawn(process.execPath, [main, ...words.split(" "), ...data]);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => {
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

function reportIn(file: string): Report {
  return JSON.parse(readFileSync(file, "utf8")) as Report;
}

const tiny = "--seconds 20 --operations 60 --records 40";

it("measures every workload over every protocol of ours, for real", async () => {
  const json = join(directory, "all.json");
  const { code, stdout, stderr } = await bench(
    `--driver http --workload ${workloadNames.join(",")} --in-flight 4 ${tiny} --json ${json}`,
  );
  expect(stderr + stdout).toContain("zipfian");
  expect(code).toBe(0);
  const { measurements, ceilings, targets, machine } = reportIn(json);
  expect(measurements.map(({ cell }) => cell.workload)).toEqual(workloadNames);
  for (const { cell, operations, errors, latencyMs, serverCpuMicros } of measurements) {
    expect([cell.workload, operations, errors]).toEqual([cell.workload, 60, {}]);
    expect(latencyMs.p50).toBeGreaterThan(0);
    expect(latencyMs.max).toBeGreaterThanOrEqual(latencyMs.p9999);
    expect(serverCpuMicros).toBeGreaterThanOrEqual(0);
  }
  const inserts = measurements.find(({ cell }) => cell.workload === "insert");
  expect(inserts?.fsyncsPerOperation).toBeGreaterThan(0);
  expect(inserts?.writeAmplification).toBeGreaterThan(1);
  expect(ceilings.map(({ driver }) => driver)).toEqual(["http"]);
  expect(targets[0]?.idleBytes).toHaveLength(3);
  expect(machine.filesystem).not.toBe("tmpfs");
  expect(readdirSync(join(directory, "data"))).toEqual([]);
}, 60_000);

it("measures the stream between nodes, other values, an open loop, two generators", async () => {
  const json = join(directory, "peer.json");
  const { code, stdout } = await bench(
    "--driver peer,http --workload insert,read-only --value 100,64k --rate 500 --rounds 2 " +
      `--generators 2 --no-ceiling ${tiny} --json ${json}`,
  );
  expect(code).toBe(0);
  expect(stdout).toContain("late p99");
  const { measurements } = reportIn(json);
  expect(measurements).toHaveLength(16);
  for (const { operations, errors, latenessMsP99 } of measurements) {
    expect([operations, errors]).toEqual([60, {}]);
    expect(latenessMsP99).toBeGreaterThan(0);
  }
}, 60_000);

it.each([
  ["an unknown workload", "--workload z", 2, "some of a, b, c"],
  ["an unknown suite", "everything", 1, "there is no suite everything"],
  ["a number that is none", "--seconds soon", 2, "a number above 0"],
])("refuses %s", async (_, words, exit, message) => {
  const { code, stderr } = await bench(words);
  expect(stderr).toContain(message);
  expect(code).toBe(exit);
});

it("explains every workload", async () => {
  const { code, stdout } = await bench("--help");
  expect(code).toBe(0);
  for (const name of workloadNames) expect(stdout).toContain(`  ${name} `);
});
