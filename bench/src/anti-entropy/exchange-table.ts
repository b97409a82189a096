import type { PairExchange } from "./measure-pair.ts";

/** What is aimed at, where a figure is limited. */
interface Limits {
  readonly roundTrips?: number;
  readonly bytes?: number;
  readonly bytesBeyond?: number;
  readonly ms?: number;
  readonly rowsRead?: number;
  /** Of the rate at which the disk takes groups of that size. */
  readonly diskShare?: number;
}

const limits: ReadonlyMap<number | "all", Limits> = new Map<number | "all", Limits>([
  [0, { roundTrips: 1, bytes: 200, rowsRead: 0 }],
  [1, { roundTrips: 6, bytesBeyond: 4096, ms: 100 }],
  ["all", { diskShare: 0.3 }],
]);

const header: readonly string[] = [
  "partitions",
  "keys",
  "differing",
  "round trips",
  "messages",
  "bytes",
  "beyond records",
  "ms",
  "rows read",
  "keys/s",
  "share of disk",
];

/** A row for each exchange; limits stand beside what they limit. */
export function exchangeTable(
  exchanges: readonly PairExchange[],
  syncRate: number,
): readonly (readonly string[])[] {
  return [header, ...exchanges.map((exchange) => rowOf(exchange, syncRate))];
}

function rowOf(exchange: PairExchange, syncRate: number): readonly string[] {
  const { partitions, keys, differing, roundTrips, messages, bytes, ms, rowsRead } = exchange;
  const limit = limitsOf(exchange);
  const perSecond = ms > 0 ? Math.round((exchange.keysExchanged * 1000) / ms) : 0;
  const share = diskShareOf(exchange, syncRate);
  return [
    `${partitions}`,
    `${keys}`,
    `${differing}`,
    beside(roundTrips, limit.roundTrips),
    `${messages}`,
    beside(bytes, limit.bytes),
    beside(beyondRecords(exchange), limit.bytesBeyond),
    beside(Math.round(ms * 10) / 10, limit.ms),
    beside(rowsRead, limit.rowsRead),
    `${perSecond}`,
    limit.diskShare === undefined ? "-" : `${share.toFixed(2)} (>= ${limit.diskShare})`,
  ];
}

/** What is over its limit, or did not come to its end, in words. */
export function problemsWith(exchange: PairExchange, syncRate: number): readonly string[] {
  const { partitions, differing, roundTrips, bytes, ms, rowsRead, isDone } = exchange;
  const limit = limitsOf(exchange);
  const where = `${partitions} partitions, ${differing} differing`;
  const problems = [
    [isDone, "the copies were not made equal"],
    [isWithin(roundTrips, limit.roundTrips), "too many round trips"],
    [isWithin(bytes, limit.bytes), "too many bytes"],
    [isWithin(beyondRecords(exchange), limit.bytesBeyond), "too many bytes beyond the records"],
    [isWithin(ms, limit.ms), "too slow"],
    [isWithin(rowsRead, limit.rowsRead), "too many records read"],
    [diskShareOf(exchange, syncRate) >= (limit.diskShare ?? 0), "too small a share of the disk"],
  ] as const;
  return problems.flatMap(([isGood, problem]) => (isGood ? [] : [`${where}: ${problem}`]));
}

function limitsOf({ differing }: PairExchange): Limits {
  return limits.get(differing) ?? {};
}

function beyondRecords({ bytes, recordBytes }: PairExchange): number {
  return bytes - recordBytes;
}

/** Bytes per second that came into the log, of those that the disk takes one after the other. */
function diskShareOf({ bytesAppended, ms }: PairExchange, syncRate: number): number {
  return (bytesAppended * 1000) / Math.max(1, ms) / syncRate;
}

function isWithin(figure: number, limit: number | undefined): boolean {
  return limit === undefined || figure <= limit;
}

function beside(figure: number, limit: number | undefined): string {
  return limit === undefined ? `${figure}` : `${figure} (<= ${limit})`;
}
