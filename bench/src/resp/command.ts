import { Command } from "commander";
import { wholeNumber, wholeNumbers } from "../arguments.ts";
import { machineText } from "../measure/machine.ts";
import { cpuMicros } from "../measure/process-usage.ts";
import { alignedText } from "../report/aligned-text.ts";
import { findProgram, missingProgram } from "../targets/debian-program.ts";
import { type Asked, type Figure, type Found, aimOf, coterieName, figuresOf } from "./figures.ts";
import { setLoad } from "./own-load.ts";
import { type RespLoad, type RespResult, redisBenchmark } from "./redis-benchmark.ts";
import { type RespServer, startCoterie, startRedisInMemory, startRedisSynced } from "./servers.ts";
import { inRunDirectory } from "../run/data-directory.ts";
import { runJudged } from "../run-program.ts";
import { say } from "../say.ts";

interface Options {
  readonly connections: number;
  readonly pipeline: readonly number[];
  readonly requests: number;
  readonly keys: number;
  readonly value: number;
  readonly rounds: number;
  readonly data: string;
}

/** A load, and which servers it is for. */
interface Part {
  readonly command: RespLoad["command"];
  readonly asked: Asked;
  readonly servers: readonly RespServer[];
}

/** Prints what SET and GET cost beside Redis in the same run; 1 if an aim is missed. */
export async function runResp(words: readonly string[]): Promise<number> {
  const program = new Command("coterie bench resp")
    .description(
      "Puts the RESP door of three durable nodes, one redis-server that keeps everything in " +
        "memory, and one that syncs every write and is followed by two, under the same loads " +
        "by turns.",
    )
    .option("--connections <count>", "clients at once", wholeNumber, 50)
    .option("--pipeline <list>", "commands that a client sends ahead", wholeNumbers, [1, 16])
    .option("--requests <count>", "of each measurement", wholeNumber, 50_000)
    .option("--keys <count>", "keys are drawn from so many", wholeNumber, 10_000)
    .option("--value <bytes>", "bytes of a value", wholeNumber, 100)
    .option("--rounds <count>", "measure everything so often; medians are shown", wholeNumber, 3)
    .option("--data <dir>", "where servers keep their data meanwhile", ".coterie")
    .addHelpText(
      "after",
      `
Examples:
  npm run bench -- resp
  npm run bench -- resp --rounds 5 --pipeline 1 --requests 100000`,
    );
  return runJudged(program, words, run);
}

async function run(options: Options): Promise<boolean> {
  const generator = findProgram("redis-benchmark");
  if (generator === undefined) {
    throw new Error("redis-benchmark is not installed (apt: redis-tools)");
  }
  const missing = missingProgram("redis");
  if (missing !== undefined) throw new Error(missing);
  const found = await inRunDirectory(options.data, "resp", (directory) =>
    measureAll(generator, directory, options),
  );
  const figures = figuresOf(found);
  process.stdout.write(reportText(figures, options));
  return figures.every(isReached);
}

async function measureAll(
  generator: string,
  directory: string,
  options: Options,
): Promise<readonly Found[]> {
  const servers: RespServer[] = [];
  const found: Found[] = [];
  try {
    const started = async (server: Promise<RespServer>): Promise<RespServer> => {
      servers.push(await server);
      return server;
    };
    const inMemory = await started(startRedisInMemory(directory));
    const synced = await started(startRedisSynced(directory));
    const coterie = await started(startCoterie(directory));
    const parts: readonly Part[] = [
      { command: "set", asked: "redis-benchmark", servers: [inMemory, synced, coterie] },
      { command: "set", asked: "SET and WAIT 1", servers: [synced, coterie] },
      { command: "get", asked: "redis-benchmark", servers: [inMemory, coterie] },
    ];
    // The first round is for what compiles as it runs, and does not count.
    for (let round = 0; round <= options.rounds; round += 1) {
      for (const pipeline of options.pipeline) {
        for (const part of parts) {
          for (const server of part.servers) {
            const one = await measure(generator, server, part, pipeline, options);
            if (round > 0) found.push(one);
          }
        }
      }
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
  return found;
}

async function measure(
  generator: string,
  { name, address, pids }: RespServer,
  { command, asked }: Part,
  pipeline: number,
  { connections, requests, keys, value }: Options,
): Promise<Found> {
  const load = { address, connections, pipeline, requests, keys, valueBytes: value };
  const used = (): number => pids.reduce((sum, pid) => sum + cpuMicros(pid), 0);
  const before = used();
  const result = await resultOf(generator, { ...load, command }, asked, name);
  const micros = (used() - before) / requests;
  say(`${command} by ${asked}, pipeline ${pipeline}: ${name} ${result.perSecond.toFixed(0)}/s`);
  return { ...result, server: name, command, asked, pipeline, cpuMicros: micros };
}

/** A SET of Coterie's is on two disks when it is answered: there is nothing to wait for. */
function resultOf(
  generator: string,
  load: RespLoad,
  asked: Asked,
  server: string,
): Promise<RespResult> {
  if (asked === "redis-benchmark") return redisBenchmark(generator, load);
  return setLoad({ ...load, isWaiting: server !== coterieName });
}

function isReached(figure: Figure): boolean {
  return figure.share === undefined || figure.share >= aimOf(figure);
}

function reportText(figures: readonly Figure[], options: Options): string {
  const titles = ["command", "pipeline", "by", "server", "ops/s", "p50 ms", "p99 ms", "CPU µs/op"];
  const further = ["coterie's ops of it", "aim", "coterie's CPU of it"];
  const rows = figures.map((one) => [
    one.command.toUpperCase(),
    `${one.pipeline}`,
    one.asked,
    one.server,
    one.perSecond.toFixed(0),
    one.p50Ms.toFixed(2),
    one.p99Ms.toFixed(2),
    one.cpuMicros.toFixed(1),
    one.share?.toFixed(3) ?? "",
    one.share === undefined ? "" : `>= ${aimOf(one)} ${isReached(one) ? "yes" : "NO"}`,
    one.cpuShare?.toFixed(1) ?? "",
  ]);
  return (
    `${machineText(options.data)}\n` +
    `${options.connections} connections to one address, ${options.value} B, ` +
    `medians of ${options.rounds}\n` +
    "redis in memory: one server, which writes nothing; redis synced: appendfsync always, with " +
    "two replicas;\ncoterie: three nodes, fsynced on 2 of 3, read from 2 of 3. By SET and WAIT " +
    "1: a generator of ours, one WAIT\nafter each batch for redis, none for coterie, which has " +
    "answered for two disks by then\n\n" +
    `${alignedText([[...titles, ...further], ...rows])}\n`
  );
}
