// Durable puts and gets against three server processes, on this machine's disk. Prints what each
// operation cost the servers, beside the limits of disk and loopback measured in the same run.
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, release } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { RealCluster } from "@coterie/e2e";
import { type NextRequest, runHttpLoad } from "./http-load.ts";
import { fdatasyncRate, filesystemOf, loopbackEchoRate } from "./machine-limits.ts";
import { type Measurement, measure } from "./measure.ts";
import { runPeerLoad } from "./peer-load.ts";
import { residentBytes } from "./process-usage.ts";
import { type Limits, type Report, printReport } from "./report.ts";
import {
  doorRequests,
  doorStatus,
  fillRequests,
  getRequests,
  keyCount,
  putRequests,
} from "./workloads.ts";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const help = `npm run bench -- [--seconds 5] [--json FILE]
Starts three nodes on the disk of the current folder, measures, stops them, removes their data.
`;

const restartKeys = 100_000;

async function run(): Promise<void> {
  const seconds = Number(options.seconds);
  const parent = resolve(".coterie");
  mkdirSync(parent, { recursive: true });
  const filesystem = filesystemOf(parent);
  if (filesystem === "tmpfs" || filesystem === "ramfs") {
    throw new Error(`the current folder is on ${filesystem}: durable writes need a disk`);
  }
  const limits: Limits = {
    fdatasyncPerSecond: fdatasyncRate(parent),
    echoPerSecond1: await loopbackEchoRate(1),
    echoPerSecond64: await loopbackEchoRate(64),
  };
  const cluster = await RealCluster.start({ parent });
  try {
    const idleBytes = cluster.pids.map(residentBytes);
    // Every key is filled once only: a second put without context would make siblings.
    const fill = fillRequests();
    const measurements = await measureAll(cluster, seconds, fill);
    await fillTo(cluster, restartKeys, fill);
    await cluster.stop({ keepData: true });
    const restartMs = await measureRestart(cluster.directory);
    const report: Report = {
      date: new Date().toISOString(),
      node: process.version,
      kernel: release(),
      cores: availableParallelism(),
      filesystem,
      limits,
      measurements,
      idleMegabytes: idleBytes.map((bytes) => bytes / 1024 / 1024),
      restartMs,
      restartKeys,
    };
    printReport(report);
    if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(report, null, 2));
  } finally {
    await cluster.stop();
  }
}

async function measureAll(
  cluster: RealCluster,
  seconds: number,
  fill: NextRequest,
): Promise<readonly Measurement[]> {
  const { doors } = cluster;
  const http = (
    name: string,
    inFlight: number,
    next: NextRequest,
    duration: number = seconds,
  ): Promise<Measurement> =>
    measure(cluster, name, inFlight, () =>
      runHttpLoad({ doors, inFlight, seconds: duration, next }),
    );
  // Warm-up: the JIT of three processes settles within a few seconds; not reported.
  await fillTo(cluster, keyCount, fill);
  await http("warm-up", 64, getRequests(), 2);
  const measurements: Measurement[] = [];
  for (const inFlight of [1, 64]) {
    measurements.push(await measureDoor(cluster, inFlight));
    measurements.push(await http("http put", inFlight, putRequests()));
    measurements.push(await http("http get", inFlight, getRequests()));
    for (const kind of ["put", "read"] as const) {
      measurements.push(
        await measure(cluster, `peer ${kind}`, inFlight, () =>
          runPeerLoad({ cluster, kind, inFlight, seconds }),
        ),
      );
    }
  }
  return measurements;
}

function measureDoor(cluster: RealCluster, inFlight: number): Promise<Measurement> {
  const load = {
    doors: cluster.doors,
    inFlight,
    seconds: 2,
    next: doorRequests(),
    expectedStatus: doorStatus,
  };
  return measure(cluster, "http door alone", inFlight, () => runHttpLoad(load));
}

async function fillTo({ doors }: RealCluster, keys: number, fill: NextRequest): Promise<void> {
  let left = keys;
  while (left > 0) {
    const result = await runHttpLoad({ doors, inFlight: 64, seconds: 2, next: fill });
    left -= result.operations;
  }
}

/** From starting three processes on existing data until all are ready. */
async function measureRestart(data: string): Promise<number> {
  const started = performance.now();
  const cluster = await RealCluster.start({ directory: data });
  const ms = performance.now() - started;
  await cluster.stop({ keepData: true });
  return ms;
}

if (options.help) process.stdout.write(help);
else await run();
