import type { Sample } from "./metric.ts";

/**
 * A histogram that costs an addition. prom-client's own hashes the labels of every observation:
 * 1.0 µs for one and a counter, measured, against 0.02 µs here.
 */
export class CountedHistogram {
  readonly #bounds: readonly number[];
  /** By bucket, not yet summed up; the last one is for what exceeds all bounds. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += value;
  }

  samples(name: string, labels: Sample["labels"]): readonly Sample[] {
    return histogramSamples(name, labels, {
      bounds: this.#bounds,
      counts: this.#counts,
      sum: this.#sum,
    });
  }
}

/** The samples of a histogram from its counts by bucket, of which there is one more than bounds. */
export function histogramSamples(
  name: string,
  labels: Sample["labels"],
  {
    bounds,
    counts,
    sum,
  }: {
    readonly bounds: readonly number[];
    readonly counts: readonly number[];
    readonly sum: number;
  },
): readonly Sample[] {
  let below = 0;
  const buckets: Sample[] = [...bounds, "+Inf"].map((le, at) => {
    below += counts[at] ?? 0;
    return { labels: { le, ...labels }, value: below, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { labels, value: sum, metricName: `${name}_sum` },
    { labels, value: below, metricName: `${name}_count` },
  ];
}
