import { residentBytes } from "./process-usage.ts";

const intervalMs = 250;

/** Looks at the memory of processes now and then while a run goes on. */
export class ResidentSampler {
  readonly #pids: readonly number[];
  readonly #timer: NodeJS.Timeout;
  readonly #samples: number[] = [];

  constructor(pids: readonly number[]) {
    this.#pids = pids;
    this.#timer = setInterval(() => this.#sample(), intervalMs);
    this.#sample();
  }

  /** Of all processes together, in bytes; undefined if there are none. */
  stop(): { readonly mean: number; readonly peak: number } | undefined {
    clearInterval(this.#timer);
    if (this.#pids.length === 0) return undefined;
    this.#sample();
    const sum = this.#samples.reduce((total, bytes) => total + bytes, 0);
    return { mean: sum / this.#samples.length, peak: Math.max(...this.#samples) };
  }

  #sample(): void {
    this.#samples.push(this.#pids.reduce((sum, pid) => sum + residentBytes(pid), 0));
  }
}
