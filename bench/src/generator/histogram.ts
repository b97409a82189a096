import {
  type Histogram,
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
} from "hdr-histogram-js";

/** The longest latency that is told from longer ones, in microseconds: five minutes. */
const microsMax = 300_000_000;

/** A histogram of microseconds with three significant digits. */
export function newHistogram(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: microsMax,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });
}

/** Records milliseconds, to the microsecond. */
export function recordMs(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.min(microsMax, Math.max(1, Math.round(ms * 1000))));
}

/** A histogram as text; empty if it holds nothing. */
export function histogramText(histogram: Histogram): string {
  return histogram.totalCount === 0 ? "" : encodeIntoCompressedBase64(histogram);
}

/** One histogram of the recordings of all `texts`. */
export function mergeHistograms(texts: readonly string[]): Histogram {
  const merged = newHistogram();
  for (const text of texts) {
    if (text !== "") merged.add(decodeFromCompressedBase64(text, 32, false));
  }
  return merged;
}

/** Latencies in milliseconds. */
export interface Percentiles {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
}

/** The figures that a report names; zeros if nothing was recorded. */
export function percentilesOf(histogram: Histogram): Percentiles {
  const at = (percent: number): number => histogram.getValueAtPercentile(percent) / 1000;
  return {
    mean: histogram.totalCount === 0 ? 0 : histogram.mean / 1000,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    p9999: at(99.99),
    max: histogram.maxValue / 1000,
  };
}
