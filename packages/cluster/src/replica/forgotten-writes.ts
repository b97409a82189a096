import {
  type CausalRecord,
  type Token,
  type WriteId,
  compareTokens,
  deadWritesGone,
  encodeRecord,
} from "@coterie/core";
import type { Clock, MonotonicMs } from "@coterie/ports";
import type { Held, StoredRecord } from "@coterie/storage";
import type { PlacedName } from "../hot/bounded-by-key.ts";

/** A client tries a write again for so long after it made it. */
const retryMs = 60_000;

/** How many ids there are at most: 14 MB of them. */
const idsMax = 65_536;

/** An id that a record has forgotten. */
interface Forgotten {
  readonly token: Token;
  /** As {@link DeadWrite.isUnread}: a retry of it changes nothing, and copies of it stay. */
  readonly isUnread: boolean;
  readonly untilMs: MonotonicMs;
}

/**
 * Write ids that records have forgotten while a client may still try those writes again: a record
 * remembers few (`limits.deadWritesMax`), and one that is overwritten all the time is rid of them
 * within a second. Who writes and who merges a record sees its ids go, and keeps them here for as
 * long as they may matter, in memory: a node that has restarted since takes such a retry for a new
 * write, and the others, which do not, drop what it made of it.
 */
export class ForgottenWrites {
  readonly #clock: Pick<Clock, "monotonicMs" | "wallMs">;
  /** In the order in which they were forgotten; an id is of one key, nearly always. */
  readonly #ids = new Map<WriteId, Forgotten>();

  constructor(clock: Pick<Clock, "monotonicMs" | "wallMs">) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** Notes what `after`, made of `before` and of other things, no longer says of `before`. */
  note(token: Token, before: CausalRecord, after: CausalRecord): void {
    for (const entry of deadWritesGone(before, after)) {
      if (entry.writtenAtMs + retryMs < this.#clock.wallMs()) continue;
      this.#makeRoom();
      const untilMs = this.#clock.monotonicMs() + retryMs;
      this.#ids.delete(entry.writeId);
      this.#ids.set(entry.writeId, { token, isUnread: entry.isUnread === true, untilMs });
    }
  }

  /** True of a write that was overwritten here: to try it again changes nothing. */
  has(token: Token, writeId: WriteId): boolean {
    return this.#find(token, writeId) !== undefined;
  }

  /** The record without what a late retry made elsewhere of writes that are dead. */
  without(placed: PlacedName, held: Held, incoming: StoredRecord): StoredRecord {
    if (this.#ids.size === 0 || held.state !== "present") return incoming;
    const { clock, siblings, deadWrites } = incoming.record;
    const isHeld = (writeId: WriteId): boolean =>
      held.stored.record.siblings.some((sibling) => sibling.writeId === writeId);
    // What is held says more than what is remembered: the record that said so may be lost.
    const isDead = (writeId: WriteId | undefined): boolean =>
      writeId !== undefined &&
      this.#find(placed.token, writeId)?.isUnread === false &&
      !isHeld(writeId);
    if (!siblings.some(({ writeId }) => isDead(writeId))) return incoming;
    const alive = siblings.filter(({ writeId }) => !isDead(writeId));
    const record = { clock, siblings: alive, deadWrites };
    return { record, bytes: encodeRecord(placed, record) };
  }

  #find(token: Token, writeId: WriteId): Forgotten | undefined {
    if (this.#ids.size === 0) return undefined;
    const found = this.#ids.get(writeId);
    if (found === undefined || compareTokens(found.token, token) !== 0) return undefined;
    return found.untilMs < this.#clock.monotonicMs() ? undefined : found;
  }

  /** Whatever is over goes, and the oldest where there are too many. */
  #makeRoom(): void {
    const now = this.#clock.monotonicMs();
    for (const [writeId, { untilMs }] of this.#ids) {
      if (untilMs >= now && this.#ids.size < idsMax) return;
      this.#ids.delete(writeId);
    }
  }
}
