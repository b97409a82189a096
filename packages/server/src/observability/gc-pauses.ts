import { type PerformanceEntry, PerformanceObserver, constants } from "node:perf_hooks";
import { CountedHistogram } from "./counted-histogram.ts";
import type { MetricReading } from "./metric.ts";

const bounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1];

const kinds: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weak-callbacks"],
]);

type GcEntry = PerformanceEntry & { readonly detail: { readonly kind: number } };

/** Counts the pauses of the garbage collector, as the engine reports them. */
export class GcPauses {
  readonly #pauses = new Map<string, CountedHistogram>();
  readonly #observer: PerformanceObserver = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { duration, detail } = entry as GcEntry;
      const { kind } = detail;
      this.#observe(kinds.get(kind) ?? "other", duration / 1000);
    }
  });

  constructor() {
    this.#observer.observe({ entryTypes: ["gc"] });
  }

  reading(): MetricReading {
    const name = "coterie_gc_pause_seconds";
    return {
      name,
      help: "Pauses of the garbage collector, by kind.",
      type: "histogram",
      read: () => [...this.#pauses].flatMap(([kind, pauses]) => pauses.samples(name, { kind })),
    };
  }

  stop(): void {
    this.#observer.disconnect();
  }

  #observe(kind: string, seconds: number): void {
    const pauses = this.#pauses.get(kind) ?? new CountedHistogram(bounds);
    this.#pauses.set(kind, pauses);
    pauses.observe(seconds);
  }
}
