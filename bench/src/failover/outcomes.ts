/** What became of an operation of the load. */
export interface Outcome {
  readonly kind: "put" | "get";
  /** Of the key; keys of a group share a partition, and so their replicas. */
  readonly group: number;
  /** When it should have begun and when it ended, in milliseconds of one clock. */
  readonly dueMs: number;
  readonly endedMs: number;
  /** Undefined: it succeeded. */
  readonly error: string | undefined;
}

/** How a span of time went for those who asked the others. */
export interface Figures {
  readonly operations: number;
  /** The longest time in which no write, or no read, succeeded. */
  readonly putGapMs: number;
  readonly getGapMs: number;
  /** The same for the keys of one partition, of the partition where it was longest. */
  readonly groupGapMs: number;
  readonly putsFailed: number;
  readonly getsFailed: number;
  /** Kinds of failures. */
  readonly errors: readonly string[];
  readonly p99Ms: number;
  readonly mostMs: number;
}

/** Judges all of these; gaps are looked for in the span only. */
export function figuresOf(
  outcomes: readonly Outcome[],
  span: { readonly fromMs: number; readonly toMs: number },
): Figures {
  const good = outcomes.filter(({ error }) => error === undefined);
  const failed = outcomes.filter(({ error }) => error !== undefined);
  const gap = (kind: Outcome["kind"], group?: number): number =>
    longestGap(
      good
        .filter((one) => one.kind === kind && (group === undefined || one.group === group))
        .map(({ endedMs }) => endedMs),
      span,
    );
  const groups = [...new Set(outcomes.map(({ group }) => group))];
  const waits = good.map(({ dueMs, endedMs }) => endedMs - dueMs).toSorted((a, b) => a - b);
  return {
    operations: outcomes.length,
    putGapMs: gap("put"),
    getGapMs: gap("get"),
    groupGapMs: Math.max(...groups.flatMap((group) => [gap("put", group), gap("get", group)])),
    putsFailed: failed.filter(({ kind }) => kind === "put").length,
    getsFailed: failed.filter(({ kind }) => kind === "get").length,
    errors: [...new Set(failed.map(({ error }) => error ?? ""))],
    p99Ms: waits[Math.floor(waits.length * 0.99)] ?? Number.NaN,
    mostMs: waits.at(-1) ?? Number.NaN,
  };
}

function longestGap(
  times: readonly number[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): number {
  let last = fromMs;
  let longest = 0;
  const within = times.filter((time) => time >= fromMs && time < toMs).toSorted((a, b) => a - b);
  for (const time of [...within, toMs]) {
    longest = Math.max(longest, time - last);
    last = time;
  }
  return longest;
}
