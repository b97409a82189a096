import {
  type ClusterDocument,
  ContextSeal,
  type HybridClock,
  type NodeId,
  type PartitionId,
  type Pressure,
  type Ring,
  type Sha256,
  contextKeyOf,
} from "@coterie/core";
import type { Clock, MonotonicMs, Network, Random } from "@coterie/ports";
import type { PlacedKey, RecordStore } from "@coterie/storage";
import type { HintBook } from "../hints/hint-book.ts";
import type { ListedEntry, PeerRefusal, PeerRequest, PeerResponse } from "../messages.ts";
import type { NodeCounters } from "../node-counters.ts";
import type { FenceTable } from "../reaping/fence-table.ts";
import type { Replica } from "../replica/replica.ts";
import type { HotKeys } from "../hot/hot-keys.ts";
import type { ReadFlights } from "./read-flights.ts";
import type { ReadRouting } from "./read-routing.ts";
import type { CoordinationTuning } from "./coordination-tuning.ts";
import type { WriteFlights } from "./write-flights.ts";

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
  readonly fences: FenceTable;
  /** Learns of a version after this one, if this node has heard that there is one. */
  readonly agreement: {
    reachHeard(epoch: number, deadline: MonotonicMs): Promise<void>;
  };
  readonly counters: NodeCounters;
  /** Hears of members that acknowledge something: they may take what is owed to them. */
  readonly handoff: { noteAnswer(target: NodeId): void };
  /** Hears of keys of which a member did not acknowledge a record. */
  readonly missed: {
    note(target: NodeId, key: PlacedKey, code: PeerRefusal): void;
    /** Others may not hold what this node holds under these tokens. */
    noteDiffering(partition: PartitionId, entries: readonly ListedEntry[]): void;
    /** A record was sent; and it was acknowledged or not, and what is owed is noted. */
    noteSent(target: NodeId): void;
    noteSettled(target: NodeId): void;
  };
  /** Binds contexts to their keys, and to this cluster. */
  readonly contextSeal: ContextSeal;
  readonly tuning: CoordinationTuning;
  readonly pressure: Pressure;
  readonly routing: ReadRouting;
  /** Lets gets of one key share reads. */
  readonly readFlights: ReadFlights;
  /** Lets writes of one key share the records that are sent for them. */
  readonly writeFlights: WriteFlights;
  /** Hears of the keys that clients ask this node for. */
  readonly hotKeys: HotKeys;
  ring(): Ring;
  /** False for members that are suspected, dead or gone: they are asked last. */
  isHealthy(id: NodeId): boolean;
}

/** What tags the contexts of a node of this cluster. */
export function contextSealOf(
  document: ClusterDocument,
  contextKey: Uint8Array | undefined,
  sha256: Sha256 | undefined,
): ContextSeal {
  return new ContextSeal(contextKey ?? contextKeyOf(document), sha256);
}
