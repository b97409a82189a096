import type { Metric, MetricValue, Registry } from "prom-client";

/** Upper bounds of the histogram's buckets, in seconds; gets take less than a millisecond. */
const bounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What is counted of one operation. */
interface Times {
  readonly statuses: Map<number, number>;
  /** By bucket, not yet summed up; the last one is for what took longer than all bounds. */
  readonly buckets: number[];
  seconds: number;
  count: number;
}

type Value = MetricValue<string> & { readonly metricName?: string };

/**
 * Counts requests and their times. prom-client's own counters and histograms hash the labels of
 * every observation: 1.0 µs for these two, measured, against 0.02 µs here.
 */
export class RequestTimes {
  readonly #operations = new Map<string, Times>();

  observe(operation: string, status: number, ms: number): void {
    const times = this.#operations.get(operation) ?? this.#begin(operation);
    times.statuses.set(status, (times.statuses.get(status) ?? 0) + 1);
    const seconds = ms / 1000;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket += 1;
    times.buckets[bucket] = (times.buckets[bucket] as number) + 1;
    times.seconds += seconds;
    times.count += 1;
  }

  register(registry: Registry): void {
    registerReading(registry, {
      name: "coterie_http_requests_total",
      help: "Requests answered at the HTTP door, by operation and status.",
      type: "counter",
      read: () => this.#requests(),
    });
    registerReading(registry, {
      name: "coterie_http_request_seconds",
      help: "Time from a request's head to its answer, by operation.",
      type: "histogram",
      read: () => this.#histograms(),
    });
  }

  #begin(operation: string): Times {
    const buckets = Array.from({ length: bounds.length + 1 }, () => 0);
    const times = { statuses: new Map(), buckets, seconds: 0, count: 0 };
    this.#operations.set(operation, times);
    return times;
  }

  #requests(): Value[] {
    return [...this.#operations].flatMap(([operation, { statuses }]) =>
      [...statuses].map(([status, value]) => ({ labels: { operation, status }, value })),
    );
  }

  #histograms(): Value[] {
    const name = "coterie_http_request_seconds";
    return [...this.#operations].flatMap(([operation, { buckets, seconds, count }]) => {
      let below = 0;
      const values: Value[] = bounds.map((le, at) => {
        below += buckets[at] as number;
        return { labels: { le, operation }, value: below, metricName: `${name}_bucket` };
      });
      const labels = { operation };
      return [
        ...values,
        { labels: { le: "+Inf", operation }, value: count, metricName: `${name}_bucket` },
        { labels, value: seconds, metricName: `${name}_sum` },
        { labels, value: count, metricName: `${name}_count` },
      ];
    });
  }
}

interface Reading {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "histogram";
}

/** A registry asks a metric for nothing but its name and, at the scrape, its values. */
function registerReading(
  registry: Registry,
  { read, ...reading }: Reading & { readonly read: () => Value[] },
): void {
  const get = (): Promise<Reading & { readonly values: Value[] }> =>
    Promise.resolve({ ...reading, values: read() });
  registry.registerMetric({ name: reading.name, get } as unknown as Metric);
}
