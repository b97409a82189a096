import { type NodeId, encodeRecord, invariant, mergeRecords } from "@coterie/core";
import type { Disk } from "@coterie/ports";
import type { Held, PlacedKey, RecordStore, StoredRecord } from "@coterie/storage";
import { oneShot } from "../one-shot.ts";
import { mergeHeld } from "../replica/merge-held.ts";
import type { GuestUpdate, HoldOutcome } from "./guest-update.ts";

/** What a record costs besides its bytes, as it counts: in the log, in the index, and elsewhere. */
const recordOverheadBytes = 64;
/** As much of it the store counts itself. */
const entryHeaderBytes = 15;

/** Hints are held until all of them are dropped together: none is removed by itself. */
interface GenerationUpdate extends Pick<GuestUpdate, "bytes" | "settle"> {
  readonly apply: (held: Held) => StoredRecord | undefined;
}

export interface GenerationParts {
  readonly number: number;
  readonly target: NodeId;
  /** The part of the directory that is this generation's. */
  readonly disk: Disk;
  readonly store: RecordStore;
  /** An earlier process has made it. */
  readonly isReopened: boolean;
  /** What it holds has changed by so many bytes. */
  readonly onBytes: (change: number) => void;
}

/**
 * Hints for one target in a store of their own, which is delivered and then dropped as a whole. Its
 * store's actor is the *guest actor* under which this node writes in the target's place: it lives
 * as long as every record that was minted under it, and no longer. Once sealed nothing is added.
 */
export class Generation {
  readonly number: number;
  readonly target: NodeId;
  readonly disk: Disk;
  readonly store: RecordStore;
  /**
   * An earlier process has made it, and may have died while it wrote in the target's place: then
   * nobody knows which of the other primaries got what it wrote.
   */
  readonly isReopened: boolean;
  isSealed = false;
  /** Of the records held, and of what they cost besides. */
  bytes: number;
  readonly #onBytes: (change: number) => void;
  #operations = 0;
  #whenIdle: (() => void)[] = [];

  constructor(parts: GenerationParts) {
    this.number = parts.number;
    this.target = parts.target;
    this.disk = parts.disk;
    this.store = parts.store;
    this.isReopened = parts.isReopened;
    const { bytesLive, keys } = parts.store.statistics();
    this.bytes = bytesLive + keys * (recordOverheadBytes - entryHeaderBytes);
    this.#onBytes = parts.onBytes;
    this.#onBytes(this.bytes);
  }

  get records(): number {
    return this.store.keys;
  }

  /** Damage has taken something from it. */
  get isDamaged(): boolean {
    const { tokens, isWhole } = this.store.damage();
    return !isWhole || tokens.length > 0;
  }

  /** Merges a hint into what is held; settles when it is durable. */
  merge(placed: PlacedKey, incoming: StoredRecord, settle: (outcome: HoldOutcome) => void): void {
    invariant(!this.isSealed, "nothing is added to a generation that is being delivered");
    this.#update(placed, {
      bytes: incoming.bytes.length,
      apply: (held) => {
        this.store.observeOwnCounter(incoming.record.clock.get(this.store.actor));
        return mergeHeld(placed, held, incoming);
      },
      settle,
    });
  }

  /**
   * Writes in the target's place. What other generations hold of the key is seen by the write too:
   * it then is in no two minds about what it follows.
   */
  write(placed: PlacedKey, elsewhere: StoredRecord | undefined, update: GuestUpdate): void {
    this.#update(placed, {
      bytes: update.bytes + (elsewhere?.bytes.length ?? 0),
      apply: (own) => {
        const held = merged(placed, own, elsewhere);
        const { store } = this;
        // A rolled-back directory would mint dots that others hold.
        if (held.state === "present") {
          store.observeOwnCounter(held.stored.record.clock.get(store.actor));
        }
        return update.apply(held, store);
      },
      settle: update.settle,
    });
  }

  /** What is held of the key; `unknown` where that cannot be said. */
  read(placed: PlacedKey, settle: (held: Held) => void): void {
    this.begin();
    this.store.read(placed, (outcome) => {
      settle(outcome.ok ? outcome.held : { state: "unknown" });
      this.end();
    });
  }

  /** Something uses it: it is not walked, closed or dropped until {@link end}. */
  begin(): void {
    this.#operations += 1;
  }

  end(): void {
    this.#operations -= 1;
    if (this.#operations > 0) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const settle of waiting) settle();
  }

  /** Resolves when nothing uses it. Once sealed, that stays so but for reads. */
  async idle(): Promise<void> {
    while (this.#operations > 0) {
      const { promise, settle } = oneShot<void>();
      this.#whenIdle.push(settle);
      await promise;
    }
  }

  #count(bytes: number, before: Held): void {
    const change =
      before.state === "present" ? bytes - before.stored.bytes.length : bytes + recordOverheadBytes;
    this.bytes += change;
    this.#onBytes(change);
  }

  #update(placed: PlacedKey, { bytes, apply, settle }: GenerationUpdate): void {
    this.begin();
    this.store.update(placed, {
      bytes,
      mayUseReserve: true,
      apply: (held) => {
        const after = apply(held);
        if (after !== undefined) this.#count(after.bytes.length, held);
        return after;
      },
      settle: (outcome) => {
        if (outcome.ok) settle(outcome);
        else settle({ ok: false, code: outcome.code === "failed" ? "internal" : outcome.code });
        this.end();
      },
    });
  }
}

function merged(placed: PlacedKey, own: Held, elsewhere: StoredRecord | undefined): Held {
  if (elsewhere === undefined) return own;
  if (own.state !== "present") return { state: "present", stored: elsewhere };
  const record = mergeRecords(own.stored.record, elsewhere.record);
  if (record === own.stored.record) return own;
  return { state: "present", stored: { record, bytes: encodeRecord(placed, record) } };
}
