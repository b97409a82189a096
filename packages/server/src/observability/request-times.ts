import { CountedHistogram } from "./counted-histogram.ts";
import type { MetricReading } from "./metric.ts";

/** Upper bounds of the histogram's buckets, in seconds; gets take less than a millisecond. */
const bounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What is counted of one operation. */
interface Times {
  /** By status or code. */
  readonly results: Map<number | string, number>;
  readonly seconds: CountedHistogram;
}

/** How the requests of one door are called. */
interface RequestSeries {
  readonly door: string;
  readonly requests: string;
  readonly seconds: string;
  /** What an answer is labelled with. */
  readonly label: "status" | "code";
}

/** Counts the requests of one door and their times, by operation. */
export class RequestTimes {
  readonly #names: RequestSeries;
  readonly #operations = new Map<string, Times>();

  constructor(names: RequestSeries) {
    this.#names = names;
  }

  observe(operation: string, result: number | string, ms: number): void {
    const times = this.#operations.get(operation) ?? this.#begin(operation);
    times.results.set(result, (times.results.get(result) ?? 0) + 1);
    times.seconds.observe(ms / 1000);
  }

  readings(): readonly MetricReading[] {
    const { door, requests, seconds: name, label } = this.#names;
    return [
      {
        name: requests,
        help: `Requests answered at the ${door} door, by operation and ${label}.`,
        type: "counter",
        read: () =>
          [...this.#operations].flatMap(([operation, { results }]) =>
            [...results].map(([result, value]) => ({
              labels: { operation, [label]: result },
              value,
            })),
          ),
      },
      {
        name,
        help: `Time from a request to its answer at the ${door} door, by operation.`,
        type: "histogram",
        read: () =>
          [...this.#operations].flatMap(([operation, { seconds }]) =>
            seconds.samples(name, { operation }),
          ),
      },
    ];
  }

  #begin(operation: string): Times {
    const times = { results: new Map(), seconds: new CountedHistogram(bounds) };
    this.#operations.set(operation, times);
    return times;
  }
}
