import { rmSync } from "node:fs";
import { type TargetName, doorOf, driverTargets } from "../drivers/open-driver.ts";
import { lookAround } from "../measure/machine.ts";
import { measureLimits } from "../measure/limits.ts";
import { type Cell, type Measurement, cellName, isLoneWriter } from "../measure/measurement.ts";
import { pin } from "../measure/pinning.ts";
import { residentBytes } from "../measure/process-usage.ts";
import { type Report, type Restart, type TargetReport, reportVersion } from "../report/report.ts";
import { CoterieTarget } from "../targets/coterie-target.ts";
import { missingProgram } from "../targets/debian-program.ts";
import { type Ceiling, measureCeilings, withCeiling } from "./ceilings.ts";
import { makeRunDirectory } from "./data-directory.ts";
import { onInterrupt } from "./interrupts.ts";
import { Session, type SessionOptions } from "./session.ts";
import { startTarget } from "./start-target.ts";

/** What to measure, and how. */
export interface BenchPlan extends Omit<SessionOptions, "directory"> {
  /** The command line, for the report. */
  readonly command: string;
  readonly cells: readonly Cell[];
  readonly rounds: number;
  /** A running cluster; undefined: stores are started here. */
  readonly nodes: readonly string[] | undefined;
  /** Where the stores keep their data; a folder of this run's own is made and removed there. */
  readonly data: string;
  readonly hasCeilings: boolean;
  /** Start Coterie once more on its data at the end, and say how long that took. */
  readonly hasRestart: boolean;
}

/** Measures all cells, target after target, round after round. */
export async function runBench(plan: BenchPlan): Promise<Report> {
  const data = plan.nodes === undefined ? makeRunDirectory(plan.data, "bench") : undefined;
  const clean = (): void => {
    if (data !== undefined) rmSync(data, { recursive: true, force: true });
  };
  const cleanUp = new CleanUp(clean);
  try {
    return await runIn(plan, data, cleanUp);
  } finally {
    cleanUp.dispose();
    clean();
  }
}

/** An interrupted bench stops the servers that it started, and leaves nothing behind. */
class CleanUp {
  session: Session | undefined;
  readonly dispose: () => void;

  constructor(clean: () => void) {
    this.dispose = onInterrupt(async () => {
      try {
        await this.session?.close();
      } finally {
        clean();
      }
    });
  }
}

async function runIn(plan: BenchPlan, data: string | undefined, cleanUp: CleanUp): Promise<Report> {
  const { command, pinning, say } = plan;
  const cells = presentCells(plan);
  const machine = lookAround(data);
  if (data !== undefined) say("measuring the disk and the loopback device");
  const limits =
    data === undefined ? null : await measureLimits(data, { isAlone: cells.some(isLoneWriter) });
  const ceilings = plan.hasCeilings ? await ceilingsOf(cells, plan) : [];
  const targets: TargetReport[] = [];
  const measurements: Measurement[] = [];
  const restarts: Restart[] = [];
  for (const name of new Set(cells.map(({ driver }) => driverTargets[driver]))) {
    say(`starting ${name}`);
    // Servers are started on the cores that they shall stay on: some count them at their start.
    if (pinning !== undefined) pin([process.pid], pinning.servers);
    const target = await startTarget(name, data ?? ".", plan.nodes);
    if (pinning !== undefined) pin([process.pid], pinning.generators);
    const idleBytes = target.pids.map(residentBytes);
    targets.push({ name, description: target.description, idleBytes });
    const session = new Session(target, { ...plan, directory: data });
    cleanUp.session = session;
    try {
      const own = cells.filter(({ driver }) => driverTargets[driver] === name);
      const served = own.filter(({ driver }) => target.addresses[doorOf(driver)]?.length);
      for (const driver of new Set(own.map((cell) => cell.driver))) {
        if (served.some((cell) => cell.driver === driver)) continue;
        say(`!!! ${driver} is NOT measured: these servers have no ${doorOf(driver)} door`);
      }
      for (const measurement of await measureTarget(session, served, plan)) {
        measurements.push(withCeiling(measurement, ceilings));
      }
      if (plan.hasRestart && target instanceof CoterieTarget) {
        restarts.push({ keys: await session.fillTo(restartKeys), ms: await target.restart() });
      }
    } finally {
      cleanUp.session = undefined;
      await session.close();
    }
  }
  return {
    version: reportVersion,
    command,
    machine,
    pinning: pinning ?? null,
    limits,
    ceilings,
    targets,
    restart: restarts[0] ?? null,
    measurements,
  };
}

/** A start is measured with so many keys at least. */
const restartKeys = 100_000;

async function measureTarget(
  session: Session,
  cells: readonly Cell[],
  { rounds, say }: BenchPlan,
): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const cell of cells) {
      const measurement = await session.measure(cell, round);
      measurements.push(measurement);
      const { operationsPerSecond, serverCpuMicros, latencyMs } = measurement;
      const cost = serverCpuMicros === null ? "" : `, ${serverCpuMicros.toFixed(1)} µs CPU/op`;
      say(
        `  ${cellName(cell)}: ${Math.round(operationsPerSecond)} ops/s, ` +
          `p99 ${latencyMs.p99.toFixed(2)} ms${cost}`,
      );
    }
  }
  return measurements;
}

/** All cells but those of stores that are not installed, which it says loudly. */
function presentCells({ cells, say }: BenchPlan): readonly Cell[] {
  const missing = new Set<TargetName>();
  for (const name of new Set(cells.map(({ driver }) => driverTargets[driver]))) {
    const problem = missingProgram(name);
    if (problem === undefined) continue;
    missing.add(name);
    say(`!!! ${name} is NOT measured: ${problem}`);
  }
  const present = cells.filter(({ driver }) => !missing.has(driverTargets[driver]));
  if (present.length === 0) throw new Error("nothing is left to measure");
  return present;
}

function ceilingsOf(cells: readonly Cell[], plan: BenchPlan): Promise<readonly Ceiling[]> {
  plan.say("measuring the generator against servers that do nothing");
  return measureCeilings(cells, { ...plan, directory: undefined });
}
