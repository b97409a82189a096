import type { RespLoad, RespResult } from "./redis-benchmark.ts";

/** Which generator asks: Redis' own, or one of ours, which can end batches of SETs with WAIT. */
export type Asked = "redis-benchmark" | "SET and WAIT 1";

/** One measurement. */
export interface Found extends RespResult {
  readonly server: string;
  readonly command: RespLoad["command"];
  readonly asked: Asked;
  readonly pipeline: number;
  /** Of all processes of the server, per operation. */
  readonly cpuMicros: number;
}

/** Medians of a server over the rounds, and what Coterie reaches of it under the same load. */
export interface Figure extends Found {
  /** Coterie's operations per second by this server's; undefined for Coterie itself. */
  readonly share: number | undefined;
  /** Coterie's CPU per operation by this server's; not known where Redis' was too little. */
  readonly cpuShare: number | undefined;
}

export const coterieName = "coterie";

/** The share that is aimed at, of one redis-server under the same load. */
export function aimOf({ command, pipeline }: Pick<Found, "command" | "pipeline">): number {
  if (pipeline > 1) return 0.25;
  return command === "get" ? 0.4 : 0.3;
}

/** The figures in the order in which their loads and servers first came. */
export function figuresOf(found: readonly Found[]): readonly Figure[] {
  const loads = groups(found, ({ pipeline, command, asked }) => `${pipeline} ${command} ${asked}`);
  return loads.flatMap((load) => {
    const servers = groups(load, ({ server }) => server).map(mediansOf);
    const ours = servers.find(({ server }) => server === coterieName);
    return servers.map((one) => {
      const isOther = ours !== undefined && one !== ours;
      return {
        ...one,
        share: isOther ? ours.perSecond / one.perSecond : undefined,
        cpuShare: isOther && one.cpuMicros > 0 ? ours.cpuMicros / one.cpuMicros : undefined,
      };
    });
  });
}

function groups<Item>(items: readonly Item[], nameOf: (item: Item) => string): readonly Item[][] {
  const byName = new Map<string, Item[]>();
  for (const item of items) {
    const group = byName.get(nameOf(item));
    if (group === undefined) byName.set(nameOf(item), [item]);
    else group.push(item);
  }
  return [...byName.values()];
}

function mediansOf(found: readonly Found[]): Found {
  const median = (of: (one: Found) => number): number =>
    found.map(of).toSorted((left, right) => left - right)[Math.floor(found.length / 2)] ?? 0;
  return {
    ...(found[0] as Found),
    perSecond: median(({ perSecond }) => perSecond),
    p50Ms: median(({ p50Ms }) => p50Ms),
    p99Ms: median(({ p99Ms }) => p99Ms),
    cpuMicros: median(({ cpuMicros }) => cpuMicros),
  };
}
