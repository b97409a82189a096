import type {
  ClusterSettings,
  Levels,
  Member,
  MembershipSettings,
  PeerAddress,
  Sha256,
} from "@coterie/core";
import type { Clock, Disk, KeyValueEngine, Network, Random } from "@coterie/ports";
import type { StoreOptions } from "@coterie/storage";
import type { CoordinationTuning } from "./coordinator/coordination-tuning.ts";
import type { PeerRequest, PeerResponse } from "./messages.ts";
import type { NodeEvent } from "./node-event.ts";

/** Everything non-deterministic that a node touches, and what the platform does faster. */
export interface NodePorts {
  readonly clock: Clock;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly disk: Disk;
  readonly random: Random;
  /** What records are kept in beside the log, if that is not the database itself. */
  readonly engine?: KeyValueEngine | undefined;
  /** SHA-256 as the platform does it, where that is faster than our own. */
  readonly sha256?: Sha256 | undefined;
}

export interface HandoffSettings {
  /** Bytes per second at which debts are paid, all targets together; 0: they are not. */
  readonly bytesPerSecond: number;
  /** Missed keys that are remembered, half of them for one target at most. */
  readonly keysMax: number;
}

export interface AntiEntropySettings {
  /** How often this node compares its copies with each other owner's; 0: only when asked to. */
  readonly intervalMs: number;
  /** Bytes per second that exchanges may take, all peers together. */
  readonly bytesPerSecond: number;
}

export interface ReapingSettings {
  /**
   * Milliseconds for which a tombstone is left alone, however many confirm it: longer than any
   * request may be under way, and than a client may repeat a write. `undefined`: they all stay.
   */
  readonly graceMs: number | undefined;
}

export interface NodeConfig {
  /** What this node says of itself; the nonce comes from its directory. */
  readonly member: Omit<Member, "nonce">;
  /** Peer addresses of the cluster to form; this node's own may be among them. */
  readonly bootstrap: readonly PeerAddress[];
  readonly settings: ClusterSettings;
  /** What this node speaks. */
  readonly levels: Levels;
  /** Whether a member that has lost its directory, be it this node or another, gets its place. */
  readonly mayRejoin: boolean;
  /** Key for the hash that binds contexts; `undefined` derives one from the cluster document. */
  readonly contextKey: Uint8Array | undefined;
  readonly store: Omit<StoreOptions, "partitions" | "hash" | "classOf">;
  readonly tuning: CoordinationTuning;
  readonly membership: MembershipSettings;
  readonly handoff: HandoffSettings;
  readonly antiEntropy: AntiEntropySettings;
  readonly reaping: ReapingSettings;
  /** Client requests in flight above which further ones are refused. */
  readonly inFlightMax: number;
  /** Bytes of values in flight above which further requests are refused. */
  readonly inFlightBytesMax: number;
  /** Bytes of records that this node holds for others, at most. */
  readonly hintBytesMax: number;
  readonly onEvent: (event: NodeEvent) => void;
}

export type StartOutcome =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: "locked" | "io" | "wrong-directory" | "not-formed" | "disk-full";
      readonly message: string;
    };

/** Of a node that was told to stop while it started. */
export const stoppedEarly: StartOutcome = {
  ok: false,
  code: "not-formed",
  message: "the node was stopped before it served",
};
