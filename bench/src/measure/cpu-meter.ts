import { cpuMicros } from "./process-usage.ts";

/** CPU time of processes that come and go. */
export class CpuMeter {
  readonly #pids: () => readonly number[];
  #byPid: ReadonlyMap<number, number>;

  /** @param pids of the processes that there are whenever it is asked. */
  constructor(pids: () => readonly number[]) {
    this.#pids = pids;
    this.#byPid = this.#read();
  }

  /**
   * Microseconds that all have used since the last call, or since the meter was made; a new one,
   * all that it has used so far. What one has used that has ended meanwhile is not known.
   */
  take(): number {
    const now = this.#read();
    let used = 0;
    for (const [pid, micros] of now) used += micros - (this.#byPid.get(pid) ?? 0);
    this.#byPid = now;
    return used;
  }

  #read(): ReadonlyMap<number, number> {
    return new Map(this.#pids().map((pid) => [pid, cpuMicros(pid)] as const));
  }
}
