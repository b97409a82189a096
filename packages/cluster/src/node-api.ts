import type {
  BucketChange,
  BucketSettings,
  ClusterDocument,
  Key,
  NodeId,
  PartitionId,
} from "@coterie/core";
import type { StoreStatistics } from "@coterie/storage";
import type { AntiEntropyView, RepairStarted } from "./anti-entropy/anti-entropy-view.ts";
import type { HeldOutcome, HeldQuery } from "./find/held-query.ts";
import type { CircuitCounts, PeerView } from "./circuits/peer-view.ts";
import type { Ending } from "./ending.ts";
import type { HandoffView } from "./handoff/handoff-view.ts";
import type { HotKeys } from "./hot/hot-keys.ts";
import type { HintStatistics } from "./hints/hint-book.ts";
import type { MembershipView } from "./membership/member-watch.ts";
import type { AdmissionStatistics } from "./admission.ts";
import type { MovesView } from "./moves/moves-view.ts";
import type { NodeCounters } from "./node-counters.ts";
import type { ReapingView } from "./reaping/reaper.ts";
import type {
  BucketOutcome,
  Explanation,
  GetOutcome,
  PutInput,
  ReplicaAnswer,
  RequestOptions,
  ScanOptions,
  ScanOutcome,
  WriteOutcome,
} from "./requests.ts";
import type { Topology } from "./topology/topology.ts";

/** What a door needs of a node. Every call settles, with an outcome; none throws. */
export interface NodeApi {
  readonly id: NodeId;
  get(key: Key, options: RequestOptions): Promise<GetOutcome>;
  /** As {@link get}, for who has many of them under way: without a promise for each. */
  beginGet(key: Key, options: RequestOptions, ending: Ending<GetOutcome>): void;
  put(key: Key, input: PutInput, options: RequestOptions): Promise<WriteOutcome>;
  /** Without a context, first reads at r and deletes what it read. */
  delete(key: Key, context: string | undefined, options: RequestOptions): Promise<WriteOutcome>;
  /** Asks each replica of the key now. */
  explain(key: Key): Promise<Explanation | undefined>;
  /** This node's own copy. */
  readReplica(key: Key): Promise<ReplicaAnswer>;
  /** One page of a bucket's keys in hash order. */
  scan(bucket: string, options: ScanOptions): Promise<ScanOutcome>;
  /** One page of the keys that this node itself holds and that are like this. */
  findHeld(query: HeldQuery): Promise<HeldOutcome>;
  /** Which keys clients ask for most; `undefined` until the cluster has formed. */
  hotKeys(): HotKeys | undefined;
  /**
   * Creates or changes a bucket by agreement of a majority of the voters. Settles when every member
   * that can be reached goes by it.
   */
  changeBucket(change: BucketChange): Promise<BucketOutcome>;
  /** A bucket's settings; where it is not known here, others are asked first. */
  bucket(name: string): Promise<BucketSettings | undefined>;
  /** What the node waits for before it serves; empty when it is ready. */
  missing(): readonly string[];
  /** `undefined` until the cluster has formed. */
  document(): ClusterDocument | undefined;
  /** 32 hex digits; empty until the cluster has formed. */
  documentDigest(): string;
  peers(): readonly PeerView[];
  /** Who is there, as this node knows; `undefined` until the cluster has formed. */
  membership(): MembershipView | undefined;
  /** True while it may lack what damage or a lost directory took, and says so instead of *no*. */
  readonly isRefilling: boolean;
  /** What this node owes to others; `undefined` until the cluster has formed. */
  handoff(): HandoffView | undefined;
  /** How alike this node's copies are to others'; `undefined` until the cluster has formed. */
  antiEntropy(): AntiEntropyView | undefined;
  /**
   * Starts comparing partitions that this node owns with all their other owners, and making all
   * equal; how far it is, {@link antiEntropy} says. One at a time.
   */
  repair(partitions: readonly PartitionId[] | "all"): RepairStarted;
  /** What becomes of tombstones, and who keeps them; `undefined` until the cluster has formed. */
  reaping(): ReapingView | undefined;
  /** Who the members are, and how that is changed; `undefined` until the cluster has formed. */
  topology(): Topology | undefined;
  /**
   * How far this node is with the copies that it is to get, and with those that it is to drop;
   * `undefined` until the cluster has formed.
   */
  moves(): MovesView | undefined;
  statistics(): NodeStatistics;
}

/** Counters since the start, and gauges; read by metrics. */
export interface NodeStatistics extends Readonly<NodeCounters>, AdmissionStatistics {
  readonly store: StoreStatistics | undefined;
  readonly hints: HintStatistics | undefined;
  readonly circuits: CircuitCounts | undefined;
}
