import { Command } from "commander";
import { positive, wholeNumber } from "../arguments.ts";
import { Generators } from "../generator/generators.ts";
import { mergeHistograms, percentilesOf } from "../generator/histogram.ts";
import type { Pressure, RunResult } from "../generator/plan.ts";
import { machineText } from "../measure/machine.ts";
import { pin, pinningFor } from "../measure/pinning.ts";
import { ResidentSampler } from "../measure/resident-sampler.ts";
import { alignedText } from "../report/aligned-text.ts";
import { CoterieTarget } from "../targets/coterie-target.ts";
import { type WorkloadName, workloadNames } from "../workload/mix.ts";
import { goodputOf, recoveryMsOf } from "./goodput.ts";
import { makeDataDirectory } from "../run/data-directory.ts";
import { runProgram } from "../run-program.ts";

interface Options {
  readonly workload: WorkloadName;
  readonly inFlight: number;
  readonly factor: number;
  readonly seconds: number;
  readonly generators: number;
  readonly pin: boolean;
  readonly data: string;
}

interface Phase {
  readonly name: string;
  readonly offered: number | undefined;
  readonly result: RunResult;
  readonly residentBytes: number;
}

const records = 10_000;
/** The load after the overload: what the cluster carries with ease. */
const easyShare = 0.5;
const connections = 256;

/** Prints what three nodes still do at a multiple of their peak; the exit code of the process. */
export async function runOverload(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench overload")
    .description(
      "Finds the peak of three durable nodes, offers once and several times as much, then half: " +
        "how much is done in time, how long it takes until all is as before, and how much memory.",
    )
    .option("--workload <name>", `one of ${workloadNames.join(", ")}`, "insert")
    .option("--in-flight <count>", "calls under way while the peak is looked for", wholeNumber, 256)
    .option("--factor <number>", "how many times the peak", positive, 3)
    .option("--seconds <number>", "of each load", positive, 8)
    .option("--generators <count>", "processes that make the load", wholeNumber, 1)
    .option("--no-pin", "let servers and generator share the cores")
    .option("--data <dir>", "where nodes keep their data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- overload
  npm run bench -- overload --workload c --factor 5 --seconds 5`,
    )
    .action(run);
  return runProgram(program, words);
}

async function run(options: Options): Promise<void> {
  const { workload, inFlight, factor, seconds, data } = options;
  if (!workloadNames.includes(workload)) throw new Error(`there is no workload ${workload}`);
  makeDataDirectory(data);
  const target = await CoterieTarget.start(data);
  const generators = Generators.start(target.addresses, options.generators);
  try {
    if (options.pin) {
      const pinning = pinningFor();
      if (typeof pinning === "string") throw new Error(`pinning is not possible: ${pinning}`);
      pin(target.pids, pinning.servers);
      pin(generators.pids, pinning.generators);
    }
    await generators.connect("pipe-raw", connections);
    await generators.use({ prefix: "overload-", records, valueBytes: 100 });
    await generators.fill(0, records);
    let seed = 0;
    const phase = async (name: string, pressure: Pressure, least = seconds): Promise<Phase> => {
      seed += 1;
      const sampler = new ResidentSampler(target.pids);
      const plan = { workload, distribution: "uniform", operationsMax: undefined, seed } as const;
      const result = await generators.run({ ...plan, pressure, seconds: least });
      const residentBytes = sampler.stop()?.peak ?? 0;
      const offered = pressure.kind === "open" ? pressure.rate : undefined;
      return { name, offered, result, residentBytes };
    };
    await phase("warm-up", { kind: "closed", inFlight }, 4);
    const closed = await phase("peak, closed loop", { kind: "closed", inFlight });
    const peak = goodputOf(closed.result, seconds);
    const open = (share: number): Pressure => ({ kind: "open", rate: Math.round(peak * share) });
    const phases = [
      closed,
      await phase("1x, open loop", open(1)),
      await phase(`${factor}x, open loop`, open(factor)),
      await phase(`${easyShare}x right after`, open(easyShare)),
    ];
    process.stdout.write(reportText(options, phases, peak));
  } finally {
    await generators.stop();
    await target.stop();
  }
}

function reportText(
  { workload, inFlight, factor, seconds, pin: isPinned, data }: Options,
  phases: readonly Phase[],
  peak: number,
): string {
  const [, , overloaded, after] = phases as readonly [Phase, Phase, Phase, Phase];
  const drainMs = Math.max(0, (overloaded.result.seconds - seconds) * 1000);
  const recoveryMs = recoveryMsOf(after.result.tenths, peak * easyShare);
  const share = goodputOf(overloaded.result, seconds) / peak;
  const rows = phases.map(({ name, offered, result, residentBytes }) => {
    const { p50, p99 } = percentilesOf(mergeHistograms([result.histogram]));
    const goodput = goodputOf(result, seconds);
    const errors = Object.entries(result.errors).map(([kind, count]) => `${count} ${kind}`);
    return [
      name,
      offered?.toFixed(0) ?? "",
      goodput.toFixed(0),
      (goodput / peak).toFixed(2),
      p50.toFixed(1),
      p99.toFixed(1),
      (residentBytes / 1024 / 1024).toFixed(0),
      (result.cpuMicros / 1e4 / result.seconds).toFixed(0),
      errors.join(", "),
    ];
  });
  const titles = [
    "load",
    "offered/s",
    "ok/s",
    "of peak",
    "p50 ms",
    "p99 ms",
    "RSS MiB",
    "generator %",
    "refused",
  ];
  return (
    `${machineText(data)}\n` +
    `workload ${workload}, 100 B, Pipe, ${inFlight} in flight for the peak, ` +
    `${isPinned ? "servers and generator pinned apart" : "not pinned"}; ` +
    "latencies of all calls, the refused too\n\n" +
    `${alignedText([titles, ...rows])}\n\n` +
    `goodput at ${factor}x: ${(share * 100).toFixed(0)} % of the peak; all answered ` +
    `${drainMs.toFixed(0)} ms after it ended; back to normal ${recoveryMs.toFixed(0)} ms later\n`
  );
}
