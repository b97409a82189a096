import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";

/** How often the event loop is looked at, in milliseconds. */
const resolutionMs = 20;
/** How long a reading counts, at least: scrapers come more often, and there may be several. */
const windowMs = 60_000;

/** How late the event loop is: of the last minute, or since the reading that ended it. */
export class EventLoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  #begunAt: number = performance.now();

  constructor() {
    this.#histogram.enable();
  }

  /** The 99th percentile and the longest delay, in seconds. */
  read(): { readonly p99: number; readonly max: number } {
    const reading = {
      p99: lateness(this.#histogram.percentile(99)),
      max: lateness(this.#histogram.max),
    };
    const now = performance.now();
    if (now - this.#begunAt > windowMs) {
      this.#histogram.reset();
      this.#begunAt = now;
    }
    return reading;
  }

  stop(): void {
    this.#histogram.disable();
  }
}

/** Node records the time between two looks, most of which was to be. */
function lateness(betweenNs: number): number {
  return Number.isFinite(betweenNs) ? Math.max(0, betweenNs / 1e9 - resolutionMs / 1000) : 0;
}
