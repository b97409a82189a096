// Runs simulations from a range of seeds: npm run sim -- --seeds 1000 [--from 1] [--trace]
import { parseArgs } from "node:util";
import { type SimulationReport, simulate } from "@coterie/sim";
import { fastTurns } from "./sim/turns.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
  },
});

const from = Number(values.from);
const seeds = Number(values.seeds);
if (!Number.isInteger(from) || !Number.isInteger(seeds) || seeds < 1) {
  process.stderr.write("npm run sim -- [--seeds 1000] [--from 1] [--trace]\n");
  process.exit(2);
}

const turns = fastTurns();
const traceLinesMax = values.trace ? 10_000_000 : 200;
const drain = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

async function runSeed(seed: number): Promise<SimulationReport | string> {
  let unhandled: unknown;
  const note = (reason: unknown): void => {
    unhandled ??= reason;
  };
  process.on("unhandledRejection", note);
  try {
    const report = await simulate({ seed, drain, turns, traceLinesMax });
    await drain();
    return unhandled === undefined ? report : describeError(unhandled);
  } catch (error) {
    return describeError(error);
  } finally {
    process.off("unhandledRejection", note);
  }
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function describeFailure(seed: number, result: SimulationReport | string): string {
  const replay = `npm run sim -- --from ${seed} --seeds 1 --trace`;
  const lines =
    typeof result === "string"
      ? [result]
      : [
          ...result.violations.map(({ checker, key, detail }) => `${checker} ${key}: ${detail}`),
          JSON.stringify(result.knobs),
        ];
  return [`seed ${seed} failed with node ${process.version}; replay: ${replay}`, ...lines].join(
    "\n  ",
  );
}

let failed = 0;
let operations = 0;
let acknowledged = 0;
let faults = 0;
const startedMs = performance.now();
for (let seed = from; seed < from + seeds; seed += 1) {
  const result = await runSeed(seed);
  if (typeof result === "string" || result.violations.length > 0) {
    failed += 1;
    process.stdout.write(`${describeFailure(seed, result)}\n`);
  }
  if (typeof result === "string") continue;
  operations += result.operations;
  acknowledged += result.acknowledged;
  for (const count of result.faults.values()) faults += count;
  if (values.trace) process.stdout.write(`${result.traceTail.join("\n")}\n${result.traceHash}\n`);
}
const perSecond = Math.round((operations * 1000) / (performance.now() - startedMs));
process.stdout.write(
  `${seeds} seeds, ${faults} faults, ${operations} operations (${perSecond} per second), ` +
    `${acknowledged} acknowledged writes: ${failed} failed\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
