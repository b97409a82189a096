/** What can go wrong; see docs/internals/simulation.md. */
export type FaultKind =
  | "kill"
  | "power"
  | "power-everywhere"
  | "power-after-ack"
  | "power-after-read"
  | "pause"
  | "stop"
  | "cut"
  | "partition"
  | "split"
  | "dead-stream"
  | "slow-peer"
  | "clock-jump"
  | "sync-error"
  | "write-error"
  | "read-error"
  | "full-disk"
  | "slow-disk"
  | "wipe"
  | "rot"
  | "rollback"
  | "guests-die"
  | "echo"
  | "wear"
  | "power-at-reaping"
  | "leaver-cut"
  | "left-behind";

export interface FaultKindInfo {
  readonly name: FaultKind;
  /** True if acknowledged data is gone from one node for good: others must have it. */
  readonly losesCopies: boolean;
}

const lossless: readonly FaultKind[] = [
  "kill",
  "power",
  "power-everywhere",
  "power-after-ack",
  "power-after-read",
  "pause",
  "stop",
  "cut",
  "partition",
  "dead-stream",
  "slow-peer",
  "clock-jump",
  "sync-error",
  "write-error",
  "full-disk",
  "slow-disk",
  "split",
  "guests-die",
  "echo",
  "wear",
  "power-at-reaping",
  "leaver-cut",
  "left-behind",
];

/** These concern what is reaped and cut: they begin before the clients rest, for that to happen. */
export const fenceKinds: ReadonlySet<FaultKind> = new Set(["echo", "wear", "power-at-reaping"]);

/** Every kind of fault. */
export const faultKinds: readonly FaultKindInfo[] = [
  ...lossless.map((name) => ({ name, losesCopies: false })),
  { name: "rot", losesCopies: true },
  { name: "read-error", losesCopies: true },
  { name: "rollback", losesCopies: true },
  { name: "wipe", losesCopies: true },
];
