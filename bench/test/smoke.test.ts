import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RealCluster } from "@coterie/e2e";
import type { Report } from "../src/report/report.ts";
import { reportOf } from "./a-report.ts";
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

const tiny = "--seconds 20 --operations 60 --records 100";

it("measures every workload over every protocol of ours, for real", async () => {
  const json = join(directory, "all.json");
  const svg = join(directory, "svg");
  const { code, stdout, stderr } = await bench(
    `--driver pipe --workload ${workloadNames.join(",")} --in-flight 4 ${tiny} ` +
      `--json ${json} --svg ${svg}`,
  );
  expect([code, stderr]).toEqual([0, expect.not.stringContaining("NOT measured")]);
  expect(stdout).toContain("zipfian");
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
  expect(ceilings.map(({ driver }) => driver)).toEqual(["pipe"]);
  expect(targets[0]?.idleBytes).toHaveLength(3);
  expect(machine.filesystem).not.toBe("tmpfs");
  expect(readdirSync(svg)).toHaveLength(workloadNames.length);
  expect(readdirSync(join(directory, "data"))).toEqual([]);
}, 60_000);

it("measures every door of ours, large values, an open loop, with two generators", async () => {
  const json = join(directory, "doors.json");
  const words =
    "--driver pipe-raw,http,peer --workload insert,read-only --value 64k --rate 500 " +
    `--generators 2 --no-ceiling ${tiny} --json ${json}`;
  const { code, stdout } = await bench(words);
  expect(code).toBe(0);
  expect(stdout).toContain("late p99");
  const { measurements } = reportIn(json);
  expect(measurements).toHaveLength(6);
  for (const { operations, errors, latenessMsP99 } of measurements) {
    expect([operations, errors]).toEqual([60, {}]);
    expect(latenessMsP99).toBeGreaterThan(0);
  }
}, 60_000);

it("measures a cluster that runs already", async () => {
  const cluster = await RealCluster.start({ arguments: ["--memory"] });
  const json = join(directory, "running.json");
  try {
    const nodes = cluster.doors.map((door) => `http://${door}`).join(",");
    const { code, stdout } = await bench(
      `--nodes ${nodes} --driver http --workload a --in-flight 2 --no-ceiling ${tiny} ` +
        `--json ${json} --baseline ${baselineOf(json)}`,
    );
    expect(stdout).toContain("compared with commit");
    expect(code).toBe(0);
  } finally {
    await cluster.stop();
  }
  const { measurements, limits, machine } = reportIn(json);
  expect(measurements).toHaveLength(1);
  expect(measurements[0]).toMatchObject({ operations: 60, errors: {}, serverCpuMicros: null });
  expect([limits, machine.filesystem]).toEqual([null, null]);
}, 60_000);

it("stops its servers and leaves nothing behind when it is interrupted", async () => {
  const data = join(directory, "interrupted");
  const words = "--driver http --workload insert --in-flight 2 --no-ceiling --records 10";
  const child = spawn(process.execPath, [main, ...words.split(" "), "--data", data]);
  const isUnderWay = new Promise<void>((resolve) => {
    child.stderr.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("loading")) resolve();
    });
  });
  await isUnderWay;
  const [folder] = readdirSync(data);
  const pids = ["n1", "n2", "n3"].map((id) => pidOf(join(data, folder ?? ""), id));
  const ended = once(child, "close");
  child.kill("SIGTERM");
  expect((await ended)[0]).toBe(130);
  expect(readdirSync(data)).toEqual([]);
  // Killed is killed, but a busy system may take a moment to end a process.
  await expect.poll(() => pids.filter(isRunning), { timeout: 10_000 }).toEqual([]);
}, 60_000);

/** Dead processes whose parent has not noticed yet are no longer running. */
function isRunning(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/\) Z /u.test(readFileSync(file, "utf8"));
}

/** A report without measurements, for a comparison that finds nothing in common. */
function baselineOf(json: string): string {
  const file = `${json}.baseline`;
  writeFileSync(file, JSON.stringify(reportOf([])));
  return file;
}

function pidOf(folder: string, id: string): number {
  const [cluster] = readdirSync(folder).filter((name) => name.startsWith("coterie-real-"));
  return Number(readFileSync(join(folder, cluster ?? "", id, "coterie.pid"), "utf8"));
}

it.each([
  ["an unknown workload", "--workload z", 2, "some of a, b, c"],
  ["an unknown suite", "everything", 1, "there is no suite everything"],
  ["a number that is none", "--seconds soon", 2, "a number above 0"],
])("refuses %s", async (_, words, exit, message) => {
  const { code, stderr } = await bench(words);
  expect(stderr).toContain(message);
  expect(code).toBe(exit);
});

it("refuses to keep the servers' data in memory", async () => {
  const folder = mkdtempSync("/dev/shm/coterie-bench-");
  try {
    const child = spawn(process.execPath, [main, "--data", folder]);
    const [[message], [code]] = await Promise.all([
      once(child.stderr, "data") as Promise<[Buffer]>,
      once(child, "close"),
    ]);
    expect(message.toString()).toContain("is on tmpfs: durable writes need a disk");
    expect(code).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("explains every workload", async () => {
  const { code, stdout } = await bench("--help");
  expect(code).toBe(0);
  for (const name of workloadNames) expect(stdout).toContain(`  ${name} `);
});
