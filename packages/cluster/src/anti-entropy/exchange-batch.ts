import {
  type Key,
  type NodeId,
  type PartitionId,
  type Token,
  decodeRecord,
  decodeRecordKey,
  equalBytes,
  invariant,
} from "@coterie/core";
import type { PlacedKey } from "@coterie/storage";
import type { Coordination } from "../coordinator/coordination.ts";
import type { BatchRoom, BulkPayer } from "../handoff/debt.ts";
import type { SentRecord } from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import { isTaker } from "../moves/roles.ts";
import { nextTurn } from "../pause.ts";
import { recordsPerTurn } from "./answer-bulk.ts";
import type { SharedSource } from "./shared-source.ts";

export interface ExchangeParts extends Pick<
  Coordination,
  "self" | "clock" | "store" | "replica" | "ring"
> {
  readonly target: NodeId;
  /** Told of every record of the target that changed what is held here. */
  readonly onTaken?: (placed: PlacedKey) => void;
}

/** A token under which both do not hold the same. */
export interface Difference {
  readonly partition: PartitionId;
  readonly token: Token;
  /** Whether the other one holds anything there, and whether this node does. */
  readonly isTheirs: boolean;
  readonly isOurs: boolean;
  /** Where its record is, with the one that is to send it. */
  readonly place: number;
}

export interface BatchParts extends ExchangeParts {
  readonly payer: BulkPayer;
  readonly source: SharedSource;
}

/**
 * Makes both hold the same under these tokens, whoever lacked what: the target's records are merged
 * here, and what this node then holds is merged there. Whole records, never values: what one side
 * has deleted or overwritten stays so. Says in which partitions something could not be exchanged.
 */
export async function exchangeBatch(
  parts: BatchParts,
  room: BatchRoom,
  differences: readonly Difference[],
): Promise<ReadonlySet<PartitionId>> {
  const batch = new Batch(parts, room, differences);
  await batch.run();
  return batch.failed;
}

class Batch {
  readonly failed = new Set<PartitionId>();
  readonly #parts: BatchParts;
  readonly #room: BatchRoom;
  readonly #differences: readonly Difference[];
  /** Under which fence what is held here is read: before anything of it. */
  readonly #fences = new Map<PartitionId, number>();
  /** What the target holds, by the names of tokens under which this node holds something too. */
  readonly #theirs = new Map<string, Uint8Array[]>();

  constructor(parts: BatchParts, room: BatchRoom, differences: readonly Difference[]) {
    this.#parts = parts;
    this.#room = room;
    this.#differences = differences;
    for (const { partition, token, isTheirs, isOurs } of differences) {
      this.#fences.set(partition, parts.replica.fence(partition).raised);
      if (isTheirs && isOurs) this.#theirs.set(nameOf(token), []);
    }
  }

  async run(): Promise<void> {
    await this.#fetch(this.#differences.filter(({ isTheirs }) => isTheirs));
    await this.#send(
      this.#differences.filter(({ isOurs, partition }) => isOurs && !this.failed.has(partition)),
    );
  }

  /** Merges what the target holds into what is held here. */
  async #fetch(wanted: readonly Difference[]): Promise<void> {
    const { payer } = this.#parts;
    for (let at = 0; at < wanted.length;) {
      const left = wanted.slice(at);
      if (!(await payer.mayGoOn())) return this.#fail(left);
      const fetched = await payer.fetch(
        this.#room,
        left.map(({ token }) => token),
      );
      if (fetched === undefined) return this.#fail(left);
      const isWhole = await this.#keep(fetched.records);
      if (!isWhole) this.#fail(left.slice(0, fetched.tokens));
      at += fetched.tokens;
    }
  }

  /** False if something is no record. */
  async #keep(records: readonly SentRecord[]): Promise<boolean> {
    const { clock, replica, ring, self, onTaken } = this.#parts;
    const { promise: settled, settle } = oneShot<void>();
    let pending = 1;
    let isWhole = true;
    const endOne = (): void => {
      pending -= 1;
      if (pending === 0) settle();
    };
    for (const [at, { record: bytes, fence }] of records.entries()) {
      if (at % recordsPerTurn === recordsPerTurn - 1) await nextTurn(clock);
      const decoded = decodeRecord(bytes);
      if (!decoded.ok) {
        isWhole = false;
        continue;
      }
      const placed = { ...replica.place(decoded), fence };
      const { partition, token } = placed;
      // How many copies there are of it is not known here, nor whether one belongs here.
      if (ring().bucket(decoded.bucket) === undefined) this.failed.add(partition);
      if (!this.#isShared(partition, decoded)) continue;
      this.#theirsAt(token)?.push(bytes);
      if (!isTaker(ring(), self, partition)) continue;
      const stored = { record: decoded.record, bytes };
      pending += 1;
      replica.merge(placed, stored, (outcome) => {
        if (!outcome.ok) this.failed.add(partition);
        else if (outcome.changed) onTaken?.(placed);
        endOne();
      });
    }
    endOne();
    await settled;
    return isWhole;
  }

  /** Has what is held here merged into what the target holds. */
  async #send(wanted: readonly Difference[]): Promise<void> {
    const { payer } = this.#parts;
    for (let at = 0; at < wanted.length;) {
      const left = wanted.slice(at);
      if (!(await payer.mayGoOn())) return this.#fail(left);
      const found = await this.#findOwn(left);
      if (found === "unknown") return this.#fail(left);
      const lacking: Difference[] = [];
      const records: SentRecord[] = [];
      for (const [index, held] of found.entries()) {
        const difference = left[index] as Difference;
        const fence = this.#fences.get(difference.partition) ?? 0;
        for (const record of held) {
          if (!this.#isLacking(difference, record)) continue;
          lacking.push(difference);
          records.push({ record, fence });
        }
      }
      const areThere = records.length === 0 ? [] : await payer.sendAll(records);
      this.#fail(lacking.filter((_, index) => areThere[index] !== true));
      at += found.length;
    }
  }

  #findOwn(places: readonly Difference[]): Promise<readonly (readonly Uint8Array[])[] | "unknown"> {
    const { promise, settle } = oneShot<readonly (readonly Uint8Array[])[] | "unknown">();
    this.#parts.store.findAll({ places, bytesMax: this.#room.bytes }, settle);
    return promise;
  }

  #isLacking({ partition, token }: Difference, bytes: Uint8Array): boolean {
    const { ring, target } = this.#parts;
    const theirs = this.#theirsAt(token) ?? [];
    return (
      isTaker(ring(), target, partition) &&
      this.#isShared(partition, keyOf(bytes)) &&
      !theirs.some((each) => equalBytes(each, bytes))
    );
  }

  #theirsAt(token: Token): Uint8Array[] | undefined {
    // Where all is lacking on one side there is none, and no name has to be made.
    return this.#theirs.size === 0 ? undefined : this.#theirs.get(nameOf(token));
  }

  /** True if both hold a copy of the key: buckets differ in how many owners do. */
  #isShared(partition: PartitionId, { bucket }: Key): boolean {
    const { ring, source } = this.#parts;
    return source.sharesCopies(partition, ring().bucket(bucket)?.n ?? 0);
  }

  #fail(differences: readonly Difference[]): void {
    for (const { partition } of differences) this.failed.add(partition);
  }
}

function nameOf({ high, low }: Token): string {
  return `${high}:${low}`;
}

function keyOf(bytes: Uint8Array): Key {
  const key = decodeRecordKey(bytes);
  invariant(key !== undefined, "a record that was read has a key");
  return key;
}
