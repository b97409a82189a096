import type { EngineName } from "@coterie/server";

/** A store, and what its records are like. */
export interface EngineShape {
  readonly engine: EngineName;
  /** Of nothing but the store. */
  readonly directory: string;
  readonly partitions: number;
  readonly valueBytes: number;
}

/** What a process of the bench of engines does; it is answered once, when that is done. */
export type Task =
  /** Fills a new store, then reads and overwrites what is in it, and leaves it open. */
  | {
      readonly kind: "load";
      readonly shape: EngineShape;
      readonly records: number;
      /** Puts under way at all times while it is filled. */
      readonly inFlight: number;
      /** Gets, and then overwrites, for so many seconds each, so many under way. */
      readonly seconds: number;
      readonly loadInFlight: number;
    }
  /** Opens a store that was filled, reads `samples` of it, and closes it. */
  | {
      readonly kind: "open";
      readonly shape: EngineShape;
      readonly samples: readonly Sample[];
    };

/** The number of a key, and its last version that was acknowledged. */
export type Sample = readonly [number: number, version: number];

/** Calls of one kind, from the first to the end of the last. */
export interface Span {
  readonly operations: number;
  readonly seconds: number;
  /** Of the process with all its threads, each. */
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

/**
 * Puts, and what came of them after the last: their CPU time and bytes written hold both, until the
 * process was still.
 */
export interface Written extends Span {
  /** Of the keys and values that were put. */
  readonly bytes: number;
  readonly stillSeconds: number;
  /** Handed to write calls by the process, for each of those bytes. */
  readonly writtenPerByte: number;
  /** Written to the device, by whomever, for each of them. */
  readonly devicePerByte: number | undefined;
}

export interface Loaded {
  /** CPU time to make one record and the place of its key: it is in that of each put. */
  readonly makingMicros: number;
  readonly filling: Written;
  /** On the disk after it, for each byte of a key or value. */
  readonly diskPerByte: number;
  /** Of the index, or of rows that the engine does not have yet. */
  readonly indexBytes: number;
  readonly residentBytes: number;
  /** Until the store was filled. */
  readonly residentBytesMost: number;
  readonly gets: Span;
  readonly overwrites: Written;
  readonly samples: readonly Sample[];
}

export interface Opened {
  /** Until it served, without the start of the process. */
  readonly openMs: number;
  /** Right after that. */
  readonly residentBytes: number;
  /** Keys that were read, all of them as they were acknowledged last. */
  readonly checked: number;
}
