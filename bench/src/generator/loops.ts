import { performance } from "node:perf_hooks";
import type { OnEnd } from "./operations.ts";
import { Recorder } from "./recorder.ts";

/** How long operations that are under way at a run's end are waited for, in milliseconds. */
const patienceMs = 10_000;

export interface LoopInput {
  readonly begin: (end: OnEnd) => void;
  readonly seconds: number;
  readonly operationsMax?: number | undefined;
}

/** A finished run. */
export interface LoopResult {
  readonly recorder: Recorder;
  /** From the first operation to the end of the last. */
  readonly seconds: number;
}

/** `inFlight` operations at all times: each that ends begins the next. */
export function runClosedLoop(
  { begin, seconds, operationsMax = Number.POSITIVE_INFINITY }: LoopInput,
  inFlight: number,
): Promise<LoopResult> {
  const started = performance.now();
  const end = started + seconds * 1000;
  const recorder = new Recorder(started);
  const watch = new Outstanding(recorder);
  return new Promise((resolve) => {
    let begun = 0;
    const next = (): void => {
      const now = performance.now();
      if (now >= end || begun >= operationsMax) {
        watch.whenNone(() => resolve({ recorder, seconds: (performance.now() - started) / 1000 }));
        return;
      }
      begun += 1;
      const settle = watch.begin(now);
      begin((error) => {
        settle(error);
        next();
      });
    };
    for (let lane = 0; lane < inFlight; lane += 1) next();
  });
}

/**
 * `rate` operations begun per second, whether earlier ones have ended or not, each timed from when
 * it was due: while a store stalls, all that were due meanwhile wait, and say so.
 */
export function runOpenLoop(
  { begin, seconds, operationsMax = Number.POSITIVE_INFINITY }: LoopInput,
  rate: number,
): Promise<LoopResult> {
  const started = performance.now();
  const recorder = new Recorder(started);
  const watch = new Outstanding(recorder);
  const total = Math.min(operationsMax, Math.floor(seconds * rate));
  const gapMs = 1000 / rate;
  return new Promise((resolve) => {
    let begun = 0;
    const beginDue = (): void => {
      const now = performance.now();
      for (; begun < total && started + begun * gapMs <= now; begun += 1) {
        const dueMs = started + begun * gapMs;
        recorder.begun(dueMs, performance.now());
        begin(watch.begin(dueMs));
      }
      if (begun === total) {
        watch.whenNone(() => resolve({ recorder, seconds: (performance.now() - started) / 1000 }));
        return;
      }
      // Looking at the clock all the time would be exact, and take a core from the servers. What a
      // timer is late by is in the latencies, and reported by itself.
      setTimeout(beginDue, Math.max(1, started + begun * gapMs - performance.now()));
    };
    beginDue();
  });
}

/** Operations under way. Those that never end are counted as `unanswered` when patience does. */
class Outstanding {
  readonly #recorder: Recorder;
  readonly #due = new Set<{ readonly ms: number }>();
  #onNone: (() => void) | undefined;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  begin(ms: number): OnEnd {
    const operation = { ms };
    this.#due.add(operation);
    return (error) => {
      if (!this.#due.delete(operation)) return;
      this.#recorder.ended(ms, performance.now(), error);
      if (this.#due.size === 0) this.#onNone?.();
    };
  }

  /** Calls back once, when nothing is under way any more or patience has ended. */
  whenNone(callback: () => void): void {
    if (this.#onNone !== undefined) return;
    const timer = setTimeout(() => {
      for (const { ms } of this.#due) this.#recorder.ended(ms, performance.now(), "unanswered");
      this.#due.clear();
      this.#onNone?.();
    }, patienceMs);
    this.#onNone = () => {
      clearTimeout(timer);
      this.#onNone = () => {};
      callback();
    };
    if (this.#due.size === 0) this.#onNone();
  }
}
