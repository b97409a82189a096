import type { Key, NodeId } from "@coterie/core";

/** A key, and how often it is asked for now. */
export interface HotKey extends Key {
  /** Requests per second; never less than what was counted. */
  readonly perSecond: number;
  /** By so much that may be too high. */
  readonly errorPerSecond: number;
}

/** The keys that are asked for most. */
export interface HotTable {
  /** Requests per second, of all keys together. */
  readonly perSecond: number;
  /** No key that is left out is asked for more often. */
  readonly floorPerSecond: number;
  /** The most asked for first. */
  readonly keys: readonly HotKey[];
}

/** What clients read, and what they put and delete. */
export interface HotTables {
  readonly reads: HotTable;
  readonly writes: HotTable;
}

/** The same of all members that answered, together. */
export interface HotView extends HotTables {
  /** After so many milliseconds a request counts half. */
  readonly halfLifeMs: number;
  /** Whose requests are counted here. */
  readonly answered: readonly NodeId[];
  /** Members that did not answer: what clients asked of them is missing. */
  readonly silent: readonly NodeId[];
}
