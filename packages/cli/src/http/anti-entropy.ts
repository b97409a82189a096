/** The last repair that was asked of a node. */
export interface RepairView {
  readonly number: number;
  readonly state: "running" | "done" | "failed";
  readonly elapsedMs: number;
  readonly partitions: number;
  readonly partitionsDone: number;
  readonly keysCompared: number;
  readonly keysExchanged: number;
  readonly bytes: number;
  readonly keysPerSecond: number;
  readonly etaMs: number | null;
  readonly failures: readonly {
    readonly peer: string;
    /** Of which it may still hold something else. */
    readonly partitions: number;
    readonly problem: string;
  }[];
}

/** `GET /v1/anti-entropy`, as far as commands look at it. */
export interface AntiEntropyView {
  readonly intervalMs: number;
  readonly lagMs: number;
  readonly oldest: { readonly partition: number; readonly peer: string } | null;
  readonly peers: readonly { readonly peer: string; readonly problem: string | null }[];
  readonly repair: RepairView | null;
}

/** The answer to `POST /v1/repair`. */
export interface RepairStarted {
  readonly number: number;
  readonly partitions: number;
  readonly peers: number;
}
