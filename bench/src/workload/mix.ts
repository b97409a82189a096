/** What one operation does. */
export type OperationKind = "read" | "update" | "insert" | "scan" | "read-modify-write";

/** Which keys are asked for: all alike, a few most of the time, mostly the newest, or just one. */
export type Distribution = "uniform" | "zipfian" | "latest" | "single";

/** The distributions by name. */
export const distributionNames: readonly Distribution[] = [
  "uniform",
  "zipfian",
  "latest",
  "single",
];

/** A mix of operations. */
export interface Mix {
  /** Shares that add up to 1. */
  readonly shares: Readonly<Partial<Record<OperationKind, number>>>;
  /** Unless another one is asked for. */
  readonly distribution: Distribution;
  readonly explanation: string;
}

/** The core workloads of YCSB (Cooper et al., SoCC 2010), and the pure ones. */
export const mixes: Readonly<Record<WorkloadName, Mix>> = {
  a: {
    shares: { read: 0.5, update: 0.5 },
    distribution: "zipfian",
    explanation: "YCSB A: half reads, half updates",
  },
  b: {
    shares: { read: 0.95, update: 0.05 },
    distribution: "zipfian",
    explanation: "YCSB B: 95 % reads, 5 % updates",
  },
  c: { shares: { read: 1 }, distribution: "zipfian", explanation: "YCSB C: reads" },
  d: {
    shares: { read: 0.95, insert: 0.05 },
    distribution: "latest",
    explanation: "YCSB D: 95 % reads of the newest, 5 % inserts",
  },
  f: {
    shares: { read: 0.5, "read-modify-write": 0.5 },
    distribution: "zipfian",
    explanation: "YCSB F: half reads, half read-modify-writes",
  },
  scan: {
    shares: { scan: 0.95, insert: 0.05 },
    distribution: "uniform",
    explanation: "like YCSB E: 95 % scans of 1 to 100 keys in the store's own order, 5 % inserts",
  },
  "read-only": { shares: { read: 1 }, distribution: "uniform", explanation: "reads" },
  "write-only": { shares: { update: 1 }, distribution: "uniform", explanation: "updates" },
  "read-modify-write": {
    shares: { "read-modify-write": 1 },
    distribution: "uniform",
    explanation: "a read, then an update of what it returned: two calls, one operation",
  },
  insert: { shares: { insert: 1 }, distribution: "uniform", explanation: "puts of new keys" },
};

/** A workload by name. */
export type WorkloadName =
  | "a"
  | "b"
  | "c"
  | "d"
  | "f"
  | "scan"
  | "read-only"
  | "write-only"
  | "read-modify-write"
  | "insert";

/** The workloads in the order of their explanation. */
export const workloadNames: readonly WorkloadName[] = Object.keys(mixes) as WorkloadName[];

/** Draws the kind of the next operation. */
export function drawKind({ shares }: Mix, fraction: number): OperationKind {
  let sum = 0;
  const kinds = Object.entries(shares) as readonly (readonly [OperationKind, number])[];
  for (const [kind, share] of kinds) {
    sum += share;
    if (fraction < sum) return kind;
  }
  return (kinds.at(-1) as readonly [OperationKind, number])[0];
}
