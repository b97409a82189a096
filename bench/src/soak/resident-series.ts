import { residentBytes } from "../measure/process-usage.ts";

export interface Sample {
  readonly seconds: number;
  readonly bytes: number;
}

/** One process of a node, from its start to its end. */
interface Life {
  readonly node: string;
  readonly samples: Sample[];
}

export interface Trend {
  readonly node: string;
  /** How it was found out. */
  readonly from: string;
  readonly mebibytesFirst: number;
  readonly mebibytesLast: number;
  readonly mebibytesPerMinute: number;
}

/** Of the longest life: from there on one counts as as long. */
const asLongShare = 0.8;
const mebibyte = 1024 * 1024;

/** Resident memory of nodes' processes over time. */
export class ResidentSeries {
  readonly #lives: Life[] = [];
  readonly #living = new Map<string, Life>();

  /** The node's process is gone; the next sample is of another one. */
  end(node: string): void {
    this.#living.delete(node);
  }

  sample(node: string, pid: number, seconds: number): void {
    let life = this.#living.get(node);
    if (life === undefined) {
      life = { node, samples: [] };
      this.#living.set(node, life);
      this.#lives.push(life);
    }
    life.samples.push({ seconds, bytes: residentBytes(pid) });
  }

  /** Of the node's lives: the samples of each. */
  livesOf(node: string): readonly (readonly Sample[])[] {
    return this.#lives.filter((life) => life.node === node).map(({ samples }) => samples);
  }
}

/**
 * How memory grows after `fromSeconds`. A process that lives throughout tells by all its samples
 * since then. One that is restarted warms up anew each time, which says nothing about leaks: of its
 * lives but the first, which began before the load did, those as long as the longest (a fifth less
 * is as long) are compared at the same age, by the mean of their last sixth. That takes two such
 * lives; fewer tell nothing.
 */
export function trendOf(
  node: string,
  lives: readonly (readonly Sample[])[],
  fromSeconds: number,
): Trend | undefined {
  const [only] = lives;
  if (lives.length === 1 && only !== undefined) {
    const later = only.filter(({ seconds }) => seconds >= fromSeconds);
    return trend(node, "all samples", later);
  }
  const later = lives.slice(1);
  const longest = Math.max(...later.map(lengthOf));
  const ends = later.filter((life) => lengthOf(life) >= longest * asLongShare).map(endOf);
  return trend(node, `the ends of ${ends.length} lives of ${longest.toFixed(0)} s`, ends);
}

function lengthOf(samples: readonly Sample[]): number {
  return (samples.at(-1)?.seconds ?? 0) - (samples[0]?.seconds ?? 0);
}

function endOf(samples: readonly Sample[]): Sample {
  const last = samples.at(-1)?.seconds ?? 0;
  const late = samples.filter(({ seconds }) => seconds >= last - lengthOf(samples) / 6);
  const bytes = late.reduce((sum, sample) => sum + sample.bytes, 0) / late.length;
  return { seconds: last, bytes };
}

function trend(node: string, from: string, samples: readonly Sample[]): Trend | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || first === last) return undefined;
  return {
    node,
    from,
    mebibytesFirst: first.bytes / mebibyte,
    mebibytesLast: last.bytes / mebibyte,
    mebibytesPerMinute: (slopeOf(samples) * 60) / mebibyte,
  };
}

/** Bytes per second of the line that is nearest to all samples (least squares). */
export function slopeOf(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const secondsMean = mean(({ seconds }) => seconds);
  const bytesMean = mean(({ bytes }) => bytes);
  let across = 0;
  let along = 0;
  for (const { seconds, bytes } of samples) {
    across += (seconds - secondsMean) * (bytes - bytesMean);
    along += (seconds - secondsMean) ** 2;
  }
  return across / along;
}
