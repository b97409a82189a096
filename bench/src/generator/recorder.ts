import { histogramText, newHistogram, recordMs } from "./histogram.ts";

/** What was seen of one run. Failures count towards the latencies too: their callers waited. */
export class Recorder {
  readonly #startedMs: number;
  readonly #latencies = newHistogram();
  readonly #lateness = newHistogram();
  readonly #errors = new Map<string, number>();
  readonly #tenths: number[] = [];
  #operations = 0;

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  get operations(): number {
    return this.#operations;
  }

  /** An operation that was due at `dueMs` was begun at `begunMs`. */
  begun(dueMs: number, begunMs: number): void {
    recordMs(this.#lateness, begunMs - dueMs);
  }

  /** It ended. Its latency counts from when it was due, however late it was begun. */
  ended(dueMs: number, endedMs: number, error: string | undefined): void {
    this.#operations += 1;
    recordMs(this.#latencies, endedMs - dueMs);
    if (error !== undefined) {
      this.#errors.set(error, (this.#errors.get(error) ?? 0) + 1);
      return;
    }
    const tenth = Math.max(0, Math.floor((endedMs - this.#startedMs) / 100));
    while (this.#tenths.length <= tenth) this.#tenths.push(0);
    this.#tenths[tenth] = (this.#tenths[tenth] ?? 0) + 1;
  }

  /** All of it, in the form that travels between processes. */
  summary(): {
    readonly operations: number;
    readonly histogram: string;
    readonly lateness: string;
    readonly errors: Readonly<Record<string, number>>;
    readonly tenths: readonly number[];
  } {
    return {
      operations: this.#operations,
      histogram: histogramText(this.#latencies),
      lateness: histogramText(this.#lateness),
      errors: Object.fromEntries(this.#errors),
      tenths: this.#tenths,
    };
  }
}
