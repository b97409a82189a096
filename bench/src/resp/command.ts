import { mkdirSync } from "node:fs";
import { Command } from "commander";
import { lookAround, requireDisk } from "../measure/machine.ts";
import { cpuMicros } from "../measure/process-usage.ts";
import { alignedText } from "../report/aligned-text.ts";
import { findProgram } from "../targets/debian-program.ts";
import { type RespLoad, type RespResult, redisBenchmark } from "./redis-benchmark.ts";
import { type RespServer, startCoterie, startRedisInMemory } from "./servers.ts";
import { runProgram } from "../run-program.ts";

interface Options {
  readonly connections: number;
  readonly pipeline: readonly number[];
  readonly requests: number;
  readonly keys: number;
  readonly value: number;
  readonly rounds: number;
  readonly data: string;
}

interface Found extends RespResult {
  readonly server: string;
  readonly command: RespLoad["command"];
  readonly pipeline: number;
  readonly cpuMicros: number;
}

/** Prints what SET and GET cost beside Redis in the same run; the exit code of the process. */
export async function runResp(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench resp")
    .description(
      "Puts the RESP door of three durable nodes under redis-benchmark's load, and one " +
        "redis-server that keeps everything in memory, by turns.",
    )
    .option("--connections <count>", "clients at once", Number, 50)
    .option("--pipeline <list>", "commands that a client sends ahead", list, [1, 16])
    .option("--requests <count>", "of each measurement", Number, 50_000)
    .option("--keys <count>", "keys are drawn from so many", Number, 10_000)
    .option("--value <bytes>", "bytes of a value", Number, 100)
    .option("--rounds <count>", "measure everything so often; medians are shown", Number, 3)
    .option("--data <dir>", "where servers keep their data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- resp
  npm run bench -- resp --rounds 5 --pipeline 1 --requests 100000`,
    )
    .action(run);
  return runProgram(program, words);
}

function list(text: string): readonly number[] {
  return text.split(",").map(Number);
}

async function run(options: Options): Promise<void> {
  const generator = findProgram("redis-benchmark");
  if (generator === undefined) {
    throw new Error("redis-benchmark is not installed (apt: redis-tools)");
  }
  mkdirSync(options.data, { recursive: true });
  requireDisk(options.data);
  const servers: RespServer[] = [];
  const found: Found[] = [];
  try {
    servers.push(await startRedisInMemory(options.data), await startCoterie(options.data));
    for (let round = 0; round < options.rounds; round += 1) {
      for (const pipeline of options.pipeline) {
        for (const command of ["set", "get"] as const) {
          for (const server of servers) {
            found.push(await measure(generator, server, command, pipeline, options));
          }
        }
      }
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
  process.stdout.write(reportText(found, options));
}

async function measure(
  generator: string,
  { name, address, pids }: RespServer,
  command: RespLoad["command"],
  pipeline: number,
  { connections, requests, keys, value }: Options,
): Promise<Found> {
  const load = { address, command, connections, pipeline, requests, keys, valueBytes: value };
  const used = (): number => pids.reduce((sum, pid) => sum + cpuMicros(pid), 0);
  const before = used();
  const result = await redisBenchmark(generator, load);
  const micros = (used() - before) / requests;
  return { ...result, server: name, command, pipeline, cpuMicros: micros };
}

function reportText(found: readonly Found[], options: Options): string {
  const { commit, node, cores, processor, filesystem, date } = lookAround(options.data);
  const rows: string[][] = [];
  for (const pipeline of options.pipeline) {
    for (const command of ["set", "get"] as const) {
      const cell = found.filter((one) => one.pipeline === pipeline && one.command === command);
      const redis = medians(cell.filter(({ server }) => server === "redis"));
      const coterie = medians(cell.filter(({ server }) => server === "coterie"));
      const label = [command.toUpperCase(), `${pipeline}`];
      rows.push([...label, ...columns("redis", redis), "1", "1"]);
      const ratio = (coterie.perSecond / redis.perSecond).toFixed(3);
      const cpu = (coterie.cpuMicros / redis.cpuMicros).toFixed(1);
      rows.push([...label, ...columns("coterie", coterie), ratio, cpu]);
    }
  }
  const titles = ["command", "pipeline", "server", "ops/s", "p50 ms", "p99 ms", "CPU µs/op"];
  return (
    `commit ${commit}, ${date}, Node ${node}, ${cores} x ${processor}, ${filesystem ?? "?"}\n` +
    `redis-benchmark with ${options.connections} connections to one address, ${options.value} B, ` +
    `medians of ${options.rounds}\n` +
    "redis: one server, in memory; coterie: three nodes, fsynced on 2 of 3, read from 2 of 3\n\n" +
    `${alignedText([[...titles, "of redis", "CPU of redis"], ...rows])}\n`
  );
}

type Medians = Pick<Found, "perSecond" | "p50Ms" | "p99Ms" | "cpuMicros">;

function medians(found: readonly Found[]): Medians {
  const median = (of: (one: Found) => number): number =>
    found.map(of).toSorted((left, right) => left - right)[Math.floor(found.length / 2)] ?? 0;
  return {
    perSecond: median(({ perSecond }) => perSecond),
    p50Ms: median(({ p50Ms }) => p50Ms),
    p99Ms: median(({ p99Ms }) => p99Ms),
    cpuMicros: median((one) => one.cpuMicros),
  };
}

function columns(server: string, one: Medians): readonly string[] {
  return [
    server,
    one.perSecond.toFixed(0),
    one.p50Ms.toFixed(2),
    one.p99Ms.toFixed(2),
    one.cpuMicros.toFixed(1),
  ];
}
