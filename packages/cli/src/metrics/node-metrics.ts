/** One number that a node measures. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/u;
const label = /(\w+)="((?:[^"\\]|\\.)*)"/gu;

/** What a node's /metrics said at one time. */
export class NodeMetrics {
  readonly #byName = new Map<string, Sample[]>();

  /** Reads Prometheus' text form; lines of another kind are passed over. */
  static parse(text: string): NodeMetrics {
    const metrics = new NodeMetrics();
    for (const each of text.split("\n")) {
      const [, name, labelText = "", value] = line.exec(each) ?? [];
      if (name === undefined) continue;
      const pairs = [...labelText.matchAll(label)].map(([, key, word]) => [key, word]);
      const sample = { name, labels: Object.fromEntries(pairs), value: Number(value) };
      const known = metrics.#byName.get(name);
      if (known === undefined) metrics.#byName.set(name, [sample]);
      else known.push(sample);
    }
    return metrics;
  }

  /** The number of a metric without labels. */
  value(name: string): number | undefined {
    return this.#byName.get(name)?.[0]?.value;
  }

  /** The sum of all samples of a metric. */
  sum(name: string): number {
    return (this.#byName.get(name) ?? []).reduce((sum, { value }) => sum + value, 0);
  }

  samples(name: string): readonly Sample[] {
    return this.#byName.get(name) ?? [];
  }

  /** The samples of all histograms whose names match, with the labels given: le to count. */
  buckets(name: RegExp, labels: Readonly<Record<string, string>> = {}): Histogram {
    const counts = new Map<number, number>();
    for (const [each, samples] of this.#byName) {
      if (!each.endsWith("_bucket") || !name.test(each.slice(0, -"_bucket".length))) continue;
      for (const { labels: found, value } of samples) {
        if (!Object.entries(labels).every(([key, wanted]) => found[key] === wanted)) continue;
        const bound = found["le"] === "+Inf" ? Number.POSITIVE_INFINITY : Number(found["le"]);
        counts.set(bound, (counts.get(bound) ?? 0) + value);
      }
    }
    return counts;
  }
}

/** Counts of what was at most each bound, infinity among them. */
export type Histogram = ReadonlyMap<number, number>;

/** What was counted between two readings; all of the later one if the node began anew. */
export function since(before: Histogram, after: Histogram): Histogram {
  const all = Number.POSITIVE_INFINITY;
  if ((before.get(all) ?? 0) > (after.get(all) ?? 0)) return after;
  return new Map([...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]));
}

/** The value below which a share of what was counted lies, roughly; `undefined` of nothing. */
export function quantile(histogram: Histogram, share: number): number | undefined {
  const bounds = [...histogram].toSorted(([left], [right]) => left - right);
  const total = histogram.get(Number.POSITIVE_INFINITY) ?? 0;
  if (total === 0) return undefined;
  let below = { bound: 0, count: 0 };
  for (const [bound, count] of bounds) {
    if (bound === Number.POSITIVE_INFINITY) break;
    if (count >= total * share && count > below.count) {
      const within = (total * share - below.count) / (count - below.count);
      return below.bound + (bound - below.bound) * Math.max(0, within);
    }
    below = { bound, count };
  }
  return below.bound;
}
