import type { ContextSeal, HybridClock, NodeId, Pressure, Ring } from "@coterie/core";
import type { Clock, Network, Random } from "@coterie/ports";
import type { RecordStore } from "@coterie/storage";
import type { Handoff } from "../handoff/handoff.ts";
import type { HintBook } from "../hints/hint-book.ts";
import type { PeerRequest, PeerResponse } from "../messages.ts";
import type { NodeCounters } from "../node-counters.ts";
import type { Replica } from "../replica/replica.ts";

/** What the coordinator's stories stand on. One per node; the ring may change, the rest stays. */
export interface Coordination {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly store: RecordStore;
  readonly replica: Replica;
  /** What this node holds for primaries that are out of reach. */
  readonly hints: HintBook;
  readonly hybridClock: HybridClock;
  readonly counters: NodeCounters;
  readonly handoff: Handoff;
  /** Binds contexts to their keys, and to this cluster. */
  readonly contextSeal: ContextSeal;
  readonly tuning: CoordinationTuning;
  readonly pressure: Pressure;
  ring(): Ring;
  /** False for members that are suspected, dead or gone: they are asked last. */
  isHealthy(id: NodeId): boolean;
}

export interface CoordinationTuning {
  /** Milliseconds of silence after which a read asks the replicas it had left out. */
  readonly hedgeAfterMs: number;
  /** Milliseconds one forwarding attempt may take while other primaries are left to try. */
  readonly forwardAttemptMs: number;
  /** Deadline of a request that names none, in milliseconds. */
  readonly timeoutMsDefault: number;
  /** How long requests may have to wait for this process before fewer are let in; left out: 100. */
  readonly queueDelayMs?: number;
  /** Milliseconds that a value's bytes are kept after its deadline; left out: a minute. */
  readonly keepExpiredMs?: number;
}
