import { CountedHistogram } from "./counted-histogram.ts";
import type { MetricReading } from "./metric.ts";

/** Upper bounds of the histogram's buckets, in seconds; gets take less than a millisecond. */
const bounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What is counted of one operation. */
interface Times {
  readonly statuses: Map<number, number>;
  readonly seconds: CountedHistogram;
}

/** Counts requests and their times, by operation. */
export class RequestTimes {
  readonly #operations = new Map<string, Times>();

  observe(operation: string, status: number, ms: number): void {
    const times = this.#operations.get(operation) ?? this.#begin(operation);
    times.statuses.set(status, (times.statuses.get(status) ?? 0) + 1);
    times.seconds.observe(ms / 1000);
  }

  readings(): readonly MetricReading[] {
    const name = "coterie_http_request_seconds";
    return [
      {
        name: "coterie_http_requests_total",
        help: "Requests answered at the HTTP door, by operation and status.",
        type: "counter",
        read: () =>
          [...this.#operations].flatMap(([operation, { statuses }]) =>
            [...statuses].map(([status, value]) => ({ labels: { operation, status }, value })),
          ),
      },
      {
        name,
        help: "Time from a request's head to its answer, by operation.",
        type: "histogram",
        read: () =>
          [...this.#operations].flatMap(([operation, { seconds }]) =>
            seconds.samples(name, { operation }),
          ),
      },
    ];
  }

  #begin(operation: string): Times {
    const times = { statuses: new Map(), seconds: new CountedHistogram(bounds) };
    this.#operations.set(operation, times);
    return times;
  }
}
