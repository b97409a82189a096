import { performance } from "node:perf_hooks";
import type { Pressure } from "@coterie/core";

/** How often it is looked at, in milliseconds: often enough for background work to give way. */
const intervalMs = 100;

/** Tells how much of its time this process computes, which no port says. */
export class UtilizationWatch {
  readonly #timer: NodeJS.Timeout;

  constructor(pressure: Pick<Pressure, "noteUtilization">) {
    let last = performance.eventLoopUtilization();
    this.#timer = setInterval(() => {
      const now = performance.eventLoopUtilization();
      pressure.noteUtilization(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    }, intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
