import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const coterie = fileURLToPath(import.meta.resolve("coterie/bin/coterie.js"));

interface Report {
  readonly measurements: readonly {
    readonly target: string;
    readonly cell: { readonly workload: string };
    readonly operations: number;
    readonly errors: object;
    readonly serverCpuMicros: number;
  }[];
}

it("starts, measures and stops Redis, etcd and NATS beside Coterie, in one run", () => {
  const directory = mkdtempSync(join(tmpdir(), "coterie-peers-"));
  try {
    const json = join(directory, "report.json");
    const data = join(directory, "data");
    const words =
      "compare --workload write-only,read-only,f,scan --in-flight 8 --seconds 30 " +
      `--operations 200 --records 100 --no-ceiling --json ${json} --data ${data}`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [coterie, "bench", ...words.split(" ")],
      { encoding: "utf8" },
    );
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    const { measurements } = JSON.parse(readFileSync(json, "utf8")) as Report;
    const targets = new Set(measurements.map(({ target }) => target));
    expect([...targets]).toEqual(["coterie", "redis", "etcd", "nats"]);
    for (const { target, cell, operations, errors, serverCpuMicros } of measurements) {
      const which = `${target} ${cell.workload}`;
      expect([which, operations, errors]).toEqual([which, 200, {}]);
      // Clock ticks of 10 ms may have seen nothing of so few operations.
      expect(serverCpuMicros).toBeGreaterThanOrEqual(0);
    }
    expect(stdout).toContain("× ours");
    expect(readdirSync(data)).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
