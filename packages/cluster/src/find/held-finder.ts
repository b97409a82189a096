import {
  type ErrorCode,
  type PartitionId,
  type Token,
  decodeRecordKey,
  invariant,
  partitionOf,
  unexpiredSiblings,
} from "@coterie/core";
import type { EntryLike, StoredRecord } from "@coterie/storage";
import type { Coordination } from "../coordinator/coordination.ts";
import { failure, noAcks } from "../coordinator/failure.ts";
import { cursorOf, parseToken, tokenText } from "../coordinator/token-text.ts";
import { oneShot } from "../one-shot.ts";
import type { Failure } from "../requests.ts";
import type { HeldKey, HeldLike, HeldOutcome, HeldQuery } from "./held-query.ts";
import { nextTurn, pause } from "../pause.ts";

/** Most keys of one page. */
const limitMax = 10_000;
/** Records read at once: what a client waits behind, at most. */
const batchTokens = 64;
/** Rest after so many at an idle node, in milliseconds: at most 32 000 records per second. */
const batchRestMs = 2;
/** Index entries looked at within a turn: some 50 microseconds. */
const entriesPerTurn = 4096;
/** After so many milliseconds a page ends with what there is. */
const patienceMs = 500;
/** Pages under way at once: whoever asks has one at each node. */
const pagesMax = 4;

/**
 * Finds keys among a node's own records for an operator who asks all replicas. What the index tells
 * is taken from it; where records must be read, they are read in small batches, with rests as long
 * as clients need them. A page ends early, so that whoever asks sees progress. Its cursor is a
 * token: it needs no state here, and means the same at every node.
 */
export class HeldFinder {
  readonly #coordination: Coordination;
  readonly #isStopping: () => boolean;
  #pages = 0;

  constructor(coordination: Coordination, isStopping: () => boolean) {
    this.#coordination = coordination;
    this.#isStopping = isStopping;
  }

  async find(query: HeldQuery): Promise<HeldOutcome> {
    const { bucket, cursor, limit } = query;
    const after = cursor === undefined ? undefined : parseToken(cursor);
    if (cursor !== undefined && after === undefined) {
      return this.#refuse("bad-request", "the cursor is not one that an earlier page had");
    }
    if (!Number.isInteger(limit) || limit < 1 || limit > limitMax) {
      return this.#refuse("bad-request", `limit is from 1 to ${limitMax}, not ${limit}`);
    }
    if (bucket !== undefined && this.#coordination.ring().bucket(bucket) === undefined) {
      return this.#refuse("no-such-bucket", `there is no bucket ${bucket}`);
    }
    if (this.#pages >= pagesMax) {
      return this.#refuse("overloaded", `${pagesMax} such pages are being made already`);
    }
    this.#pages += 1;
    const outcome = await this.#page(query, after);
    this.#pages -= 1;
    return outcome;
  }

  async #page(query: HeldQuery, start: Token | undefined): Promise<HeldOutcome> {
    const { clock, store, self } = this.#coordination;
    const ring = this.#coordination.ring();
    const { partitions } = ring.document.settings;
    const first = start === undefined ? 0 : partitionOf(start, partitions);
    const own = ring.heldBy(self).filter((partition) => partition >= first);
    const fullAt = clock.monotonicMs() + patienceMs;
    const like = entryLike(query.like);
    const keys: HeldKey[] = [];
    let after = start;
    let place = 0;
    while (place < own.length) {
      const partition = own[place] as PartitionId;
      const stretch = { after, like, limit: batchTokens, entriesMax: entriesPerTurn };
      const choice = await store.choose({ partition, ...stretch });
      await this.#collect(keys, partition, choice.tokens, query);
      if (choice.isOver) place += 1;
      after = choice.last ?? after;
      await this.#rest(choice.tokens.length);
      if (this.#isStopping()) return this.#refuse("shutting-down", `${self} is shutting down`);
      if (keys.length >= query.limit || clock.monotonicMs() >= fullAt) break;
    }
    const next = own[place];
    const cursor = next === undefined ? undefined : cursorOf(after, next, partitions);
    const known = store.damage();
    const isLacking = known.tokens.length > 0 || known.partitions.length > 0;
    return { ok: true, node: self, keys, cursor, isWhole: known.isWhole && !isLacking };
  }

  /** Reads the records of these tokens, and adds those that are looked for. */
  async #collect(
    keys: HeldKey[],
    partition: PartitionId,
    tokens: readonly Token[],
    query: HeldQuery,
  ): Promise<void> {
    const nowMs = this.#coordination.clock.wallMs();
    const reads = tokens.map((token) => this.#read(partition, token));
    for (const [at, read] of reads.entries()) {
      for (const stored of await read) {
        const place = { partition, token: tokenText(tokens[at] as Token) };
        const held = { ...heldKey(stored, nowMs), ...place };
        const isInBucket = query.bucket === undefined || query.bucket === held.bucket;
        if (isInBucket && isLike(held, query.like)) keys.push(held);
      }
    }
  }

  /** What is left of damaged records is shown, too: {@link HeldOutcome} says that it is not all. */
  #read(partition: PartitionId, token: Token): Promise<readonly StoredRecord[]> {
    const { promise, settle } = oneShot<readonly StoredRecord[]>();
    this.#coordination.store.find({ partition, token, evenIfDamaged: true }, (found) =>
      settle(found === "unknown" ? [] : found),
    );
    return promise;
  }

  #rest(reads: number): Promise<void> {
    const { clock, pressure } = this.#coordination;
    return reads === 0 ? nextTurn(clock) : pause(clock, pressure.restMs(batchRestMs));
  }

  #refuse(code: ErrorCode, message: string): Failure {
    return failure(this.#coordination, code, "refused", noAcks, message);
  }
}

/** What to look for in the index; a record is shorter than its entry in the log. */
function entryLike(like: HeldLike): EntryLike {
  if (like.kind === "larger") return like;
  return { kind: like.kind === "tombstones" ? "empty" : "holding" };
}

function heldKey(
  { bytes, record }: StoredRecord,
  nowMs: number,
): Omit<HeldKey, "partition" | "token"> {
  const key = decodeRecordKey(bytes);
  invariant(key !== undefined, "a record that was read has a key");
  const siblings = unexpiredSiblings(record.siblings, nowMs).length;
  return { bucket: key.bucket, key: key.key, siblings, bytes: bytes.length };
}

function isLike({ siblings, bytes }: HeldKey, like: HeldLike): boolean {
  if (like.kind === "larger") return bytes > like.bytes;
  return like.kind === "tombstones" ? siblings === 0 : siblings >= like.least;
}
