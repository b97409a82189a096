import type { NodeId, PeerAddress } from "../ids.ts";
import type { KeyHash } from "./token.ts";

/** What a node says of itself while a cluster forms, and what the document keeps of it. */
export interface Member {
  readonly id: NodeId;
  readonly address: PeerAddress;
  /** Where clients find its doors, each `host:port`, or empty if it has none. */
  readonly http: string;
  readonly grpc: string;
  readonly resp: string;
  readonly host: string;
  readonly zone: string;
  /** Share of partitions relative to others; 1 is normal. A positive integer. */
  readonly weight: number;
  /** 32 hex digits, drawn once per directory: tells a member from an impostor or a wiped one. */
  readonly nonce: string;
  /** The nonce that it became a member with; left out while that is the one it has. */
  readonly firstNonce?: string | undefined;
  /**
   * On its way out: it gets no partitions, and is a member until it holds none. `leaving` hands its
   * copies over itself; `removed` is gone for good and is asked nothing. Left out of the others.
   */
  readonly departure?: Departure | undefined;
  /**
   * An operator has said that it is gone for good, when too few voters were left to agree: it has
   * no vote from then on. Left out of the others.
   */
  readonly vote?: "forfeited" | undefined;
}

export type Departure = "leaving" | "removed";

/** A partition that is on its way to other owners. */
export interface Move {
  readonly partition: number;
  /** Its owners when the move is over, in order, as indices into `members`. */
  readonly to: readonly number[];
  /** Those who have not yet got all that the present owners hold, ascending; never empty. */
  readonly awaited: readonly number[];
}

/** A copy that a former owner has not dropped yet. */
export interface Leftover {
  readonly partition: number;
  /** An index into `members`. */
  readonly member: number;
  /** Its place among the owners when it was one: it has the buckets with more copies than that. */
  readonly place: number;
}

/**
 * The voters of a version were too few to agree on the next one, and an operator had the version
 * after it made by those that were left (docs/internals/agreement.md).
 */
export interface Forcing {
  /** Of the version that was made so: see `forcedEpochAfter`. */
  readonly epoch: number;
  /** The version that it was made from, by its epoch and its digest. */
  readonly base: number;
  readonly digest: string;
  /** Who made it, all of them; and which voters have lost their votes by it. */
  readonly voters: readonly NodeId[];
  readonly lost: readonly NodeId[];
  /** Who wanted it, as they say, and when: by the wall clock of the node that was asked. */
  readonly by: string;
  readonly atMs: number;
}

/**
 * Settings that every member must share, or the cluster does not form. Buckets change afterwards,
 * by agreement (`changeBucket`).
 */
export interface ClusterSettings {
  /** Q. */
  readonly partitions: number;
  /** Documents leave `md5` out: so they keep their bytes from before there was a choice. */
  readonly hash: KeyHash;
  /** Owners per partition: the largest n a bucket may have. */
  readonly nMax: number;
  readonly buckets: readonly BucketSettings[];
}

/** `strict`: only primaries count. `sloppy`: fallbacks stand in for primaries out of reach. */
export type RequestMode = "strict" | "sloppy";

export interface BucketSettings {
  readonly name: string;
  readonly policy: "siblings" | "lww";
  readonly n: number;
  readonly r: number;
  readonly w: number;
  readonly pr: number;
  readonly pw: number;
  /** Allows defaults with r + w ≤ n, under which a read may miss the last acknowledged write. */
  readonly allowStale: boolean;
  /** Of requests that do not say. Documents leave `strict` out: so they keep their bytes. */
  readonly mode: RequestMode;
  /** Milliseconds that a value lives whose put says nothing of it; left out: it stays. */
  readonly ttlMs?: number | undefined;
}

/**
 * The one document that says what the cluster is: members, owners, settings. It changes by
 * agreement only; requests carry its epoch and its tag, and never wait for it.
 *
 * The first version, epoch 1, is a pure function of settings and members. Every later one was made
 * from the one before by compare-and-set through a majority of voters (docs/internals/agreement.md)
 * and has the next epoch. What comes after `owners` is left out while there is none, so that
 * documents without it keep their bytes and their digest. `clusterId` stays what it was when the
 * cluster formed.
 *
 * A partition changes its owners in three steps (docs/internals/moves.md), each a version: a
 * {@link Move} is entered, and old and new owners answer together; when nobody is awaited any more
 * the new ones are the owners, and those that were become {@link Leftover}s; who has handed over
 * what it held drops its copy.
 */
export interface ClusterDocument {
  readonly version: 1;
  /** 32 hex digits. */
  readonly clusterId: string;
  /** 1 for the document a cluster forms with; each change adds one. */
  readonly epoch: number;
  readonly settings: ClusterSettings;
  /** Sorted by id. */
  readonly members: readonly Member[];
  /** Per partition, its owners in order, as indices into `members`. */
  readonly owners: readonly (readonly number[])[];
  /** In the order of their partitions, each at most once. */
  readonly moves?: readonly Move[];
  /** The epoch of the version that entered all of these moves; with them only. */
  readonly entered?: number;
  /** In the order of their partitions, then of their members. */
  readonly leftovers?: readonly Leftover[];
  /** 64 hex digits, see `contextKeyOf`; left out while the members are those that formed it. */
  readonly contextKey?: string;
  /** What all members speak, 2 or more (`levels.ts`); left out while that is 1. */
  readonly level?: number;
  /** Nobody copies or drops anything that moves until it is left out again. */
  readonly paused?: true;
  /** In the order of their epochs. */
  readonly forcings?: readonly Forcing[];
}
