import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { newHistogram, percentilesOf, recordMs } from "../generator/histogram.ts";
import { diskBytes } from "../many-keys/directory-size.ts";
import {
  deviceBytesWritten,
  ownBytesWritten,
  ownCpuMicros,
  residentBytes,
} from "../measure/process-usage.ts";
import { say } from "../say.ts";
import { seededDraw } from "../workload/random.ts";
import { EngineStore } from "./engine-store.ts";
import { Records, keyBytes } from "./records.ts";
import type { Loaded, Opened, Sample, Span, Task, Written } from "./tasks.ts";

type LoadTask = Extract<Task, { kind: "load" }>;
type OpenTask = Extract<Task, { kind: "open" }>;

/** Keys to be read after a start: so many from everywhere, and so many that were overwritten. */
const samplesEach = 2000;
const checksAtOnce = 64;
/** How busy a process that is still may be, of one core. */
const stillShare = 0.05;
const stillWindowMs = 1000;
const stillSecondsMax = 1800;
const progressMs = 10_000;
const recordsToMake = 10_000;

/** Fills a new store, loads it, and leaves it open for whoever ends the process. */
export async function loadEngine(task: LoadTask): Promise<Loaded> {
  const { shape, records: count, inFlight, seconds, loadInFlight } = task;
  const records = new Records(shape);
  const makingMicros = microsToMake(records);
  const store = await EngineStore.open(shape, records);
  const samples = new Samples(count);
  const recordBytes = keyBytes + shape.valueBytes;
  const writing = { directory: shape.directory, recordBytes };

  let next = 0;
  const progress = setInterval(
    () => say(`${shape.engine}: ${next} of ${count} records`),
    progressMs,
  );
  const filling = await written(writing, () =>
    calls(
      inFlight,
      () => (next < count ? next++ : undefined),
      (number) => store.insert(number),
    ),
  );
  clearInterval(progress);
  const filled = {
    diskPerByte: diskBytes(shape.directory) / (count * recordBytes),
    indexBytes: store.statistics().indexBytes,
    residentBytes: residentBytes(process.pid),
    residentBytesMost: process.resourceUsage().maxRSS * 1024,
  };

  const gets = await calls(loadInFlight, randomFor(seconds, count, 1), (number) =>
    store.get(number),
  );
  const overwrites = await written(writing, () =>
    calls(loadInFlight, randomFor(seconds, count, 2), async (number) => {
      samples.note(number, await store.overwrite(number));
    }),
  );
  return { makingMicros, filling, ...filled, gets, overwrites, samples: samples.all() };
}

/** Opens a store that was filled, reads samples of it, and closes it. */
export async function openEngine({ shape, samples }: OpenTask): Promise<Opened> {
  const store = await EngineStore.open(shape, new Records(shape));
  const resident = residentBytes(process.pid);
  let next = 0;
  await calls(
    checksAtOnce,
    () => (next < samples.length ? next++ : undefined),
    (at) => store.check(samples[at] as Sample),
  );
  await store.stop();
  return { openMs: store.openMs, residentBytes: resident, checked: samples.length };
}

/** Of some keys, the last version that was acknowledged. */
export class Samples {
  readonly #versions = new Map<number, number>();
  readonly #sizeMax: number;

  /** @param count of all keys, each in its first version. */
  constructor(count: number) {
    for (let sample = 0; sample < samplesEach; sample += 1) {
      this.#versions.set(Math.floor((sample * count) / samplesEach), 1);
    }
    this.#sizeMax = this.#versions.size + samplesEach;
  }

  /** Versions of one key may be acknowledged in any order. */
  note(number: number, version: number): void {
    const known = this.#versions.get(number);
    if (known === undefined && this.#versions.size >= this.#sizeMax) return;
    this.#versions.set(number, Math.max(known ?? 0, version));
  }

  all(): readonly Sample[] {
    return [...this.#versions];
  }
}

/** Has `inFlight` calls under way at all times, for as long as there is a next one. */
async function calls(
  inFlight: number,
  next: () => number | undefined,
  call: (number: number) => Promise<void>,
): Promise<Span> {
  const histogram = newHistogram();
  const cpu = ownCpuMicros();
  const started = performance.now();
  const lane = async (): Promise<void> => {
    for (let number = next(); number !== undefined; number = next()) {
      const from = performance.now();
      await call(number);
      recordMs(histogram, performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const operations = histogram.totalCount;
  const { p50, p99, max } = percentilesOf(histogram);
  return {
    operations,
    seconds: (performance.now() - started) / 1000,
    cpuMicros: (ownCpuMicros() - cpu) / operations,
    p50Ms: p50,
    p99Ms: p99,
    longestMs: max,
  };
}

/** Numbers of keys, until so many seconds are over. */
function randomFor(seconds: number, count: number, seed: number): () => number | undefined {
  const draw = seededDraw(seed);
  const end = performance.now() + seconds * 1000;
  return () => (performance.now() < end ? Math.floor(draw() * count) : undefined);
}

/** Puts by `work`, and what they leave to be done. */
async function written(
  { directory, recordBytes }: { readonly directory: string; readonly recordBytes: number },
  work: () => Promise<Span>,
): Promise<Written> {
  const before = deviceBytesWritten(directory);
  const own = ownBytesWritten();
  const cpu = ownCpuMicros();
  const span = await work();
  const stillSeconds = await untilStill();
  const after = deviceBytesWritten(directory);
  const bytes = span.operations * recordBytes;
  return {
    ...span,
    bytes,
    cpuMicros: (ownCpuMicros() - cpu) / span.operations,
    stillSeconds,
    writtenPerByte: (ownBytesWritten() - own) / bytes,
    devicePerByte:
      before === undefined || after === undefined ? undefined : (after - before) / bytes,
  };
}

/** Waits until this process does nothing any more: until whatever it has put off is done. */
async function untilStill(): Promise<number> {
  const started = performance.now();
  for (;;) {
    const from = performance.now();
    const cpu = ownCpuMicros();
    await sleep(stillWindowMs);
    const share = (ownCpuMicros() - cpu) / 1000 / (performance.now() - from);
    // What it was still in needs no waiting for.
    const seconds = (from - started) / 1000;
    if (share < stillShare || seconds > stillSecondsMax) return seconds;
  }
}

/** CPU time of what this bench itself does for a put. */
function microsToMake(records: Records): number {
  let micros = 0;
  // The first round is for the compiler.
  for (let round = 0; round < 2; round += 1) {
    const cpu = ownCpuMicros();
    for (let number = 0; number < recordsToMake; number += 1) {
      records.record(records.key(number), number, 1);
    }
    micros = (ownCpuMicros() - cpu) / recordsToMake;
  }
  return micros;
}
