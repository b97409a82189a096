import type { Metric, Registry } from "prom-client";

/** One number of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** With its suffix, where that is not the metric's own name. */
  readonly metricName?: string;
}

/** A metric whose numbers are read when it is scraped: nothing is counted twice on the way. */
export interface MetricReading {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly read: () => readonly Sample[];
}

/** What a metric without labels reads; nothing where the system does not say. */
type ReadNumber = () => number | undefined;

export function counter(name: string, help: string, read: ReadNumber): MetricReading {
  return { name: `coterie_${name}`, help, type: "counter", read: alone(read) };
}

export function gauge(name: string, help: string, read: ReadNumber): MetricReading {
  return { name: `coterie_${name}`, help, type: "gauge", read: alone(read) };
}

/** A counter or a gauge with labels. */
export function labelled(
  { name, help, type }: Omit<MetricReading, "read">,
  read: () => readonly (Omit<Sample, "metricName"> | undefined)[],
): MetricReading {
  return { name, help, type, read: () => read().filter((sample) => sample !== undefined) };
}

function alone(read: ReadNumber): () => readonly Sample[] {
  return () => {
    const value = read();
    return value === undefined ? [] : [{ labels: {}, value }];
  };
}

/** A registry asks a metric for nothing but its name and, at the scrape, its numbers. */
export function register(registry: Registry, { read, ...about }: MetricReading): void {
  const get = (): Promise<unknown> => Promise.resolve({ ...about, values: read() });
  registry.registerMetric({ name: about.name, get } as unknown as Metric);
}
