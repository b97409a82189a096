import { Worker } from "node:worker_threads";
import type { CampaignReport } from "./campaign.ts";

/** What a fuzzing thread is to do. */
export interface FuzzThreadInput {
  /** Of the target. */
  readonly path: string;
  readonly seed: string;
  readonly milliseconds: number;
  readonly runs: number;
  readonly isBlind: boolean;
  /** Only this one, to see what it does. */
  readonly input?: Uint8Array;
}

/** With the memory through which the thread is watched. */
export interface FuzzOrder extends FuzzThreadInput {
  readonly progress: SharedArrayBuffer;
  readonly current: SharedArrayBuffer;
}

export type FuzzThreadReport = CampaignReport;

/** A thread that ended by itself, or the input that it did not get over. */
export type WatchedOutcome =
  | { readonly kind: "done"; readonly report: FuzzThreadReport }
  | { readonly kind: "lost"; readonly problem: string; readonly input: Uint8Array };

/** Of this process's processor time, so that a busy machine makes no hang. */
const hangProcessorMs = 3000;
const lookMs = 100;
const inputBytesMax = 1 << 20;
const memoryMaxMb = 512;

/** Runs a fuzzing thread; a hang, or memory without end, ends the thread and not this process. */
export function runWatched(input: FuzzThreadInput): Promise<WatchedOutcome> {
  const progress = new SharedArrayBuffer(8);
  const current = new SharedArrayBuffer(inputBytesMax);
  const workerData: FuzzOrder = { ...input, progress, current };
  const worker = new Worker(new URL("./fuzz-thread.js", import.meta.url), {
    workerData,
    execArgv: ["--enable-source-maps", "--no-warnings"],
    resourceLimits: { maxOldGenerationSizeMb: memoryMaxMb },
  });
  const counters = new Int32Array(progress);
  const lost = (problem: string): WatchedOutcome => {
    const length = Atomics.load(counters, 1);
    return { kind: "lost", problem, input: new Uint8Array(current, 0, length).slice() };
  };
  return new Promise((resolve, reject) => {
    let isSettled = false;
    const settle = (outcome: WatchedOutcome): void => {
      if (isSettled) return;
      isSettled = true;
      clearInterval(looking);
      resolve(outcome);
      void worker.terminate();
    };
    let last = { runs: 0, processorMs: processorMs() };
    const looking = setInterval(() => {
      const runs = Atomics.load(counters, 0);
      const now = processorMs();
      if (runs <= 0 || runs !== last.runs) last = { runs, processorMs: now };
      else if (now - last.processorMs > hangProcessorMs) settle(lost("hangs"));
    }, lookMs);
    worker.on("message", (report: FuzzThreadReport) => settle({ kind: "done", report }));
    worker.on("error", (error: Error) => {
      if ("code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY") {
        settle(lost("takes memory without end"));
        return;
      }
      clearInterval(looking);
      reject(error);
    });
    worker.on("exit", () => settle(lost("ended the thread")));
  });
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
