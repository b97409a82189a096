import {
  type NodeId,
  type PartitionId,
  type Token,
  compareTokens,
  decodeRecordKey,
  invariant,
} from "@coterie/core";
import type { StoredRecord } from "@coterie/storage";
import type { Debt, Owed, Payer, PaymentOutcome } from "../handoff/debt.ts";
import type { Handoff } from "../handoff/handoff.ts";
import { oneShot } from "../one-shot.ts";
import type { FencedKey } from "../reaping/fenced-key.ts";
import type { Generation } from "./generation.ts";
import type { HintBook } from "./hint-book.ts";

/** Entries of the index looked at together. */
const pageTokens = 256;
/** A record of so many bytes is read alone: many at once would take memory that nobody counts. */
const largeBytes = 64 * 1024;

interface Place {
  readonly partition: PartitionId;
  readonly token: Token;
}

interface PlacedRecord {
  readonly place: Place;
  readonly stored: StoredRecord;
}

/** How far the delivery of one generation has come. */
interface Delivery {
  readonly generation: Generation;
  /** Everything before this place was sent. */
  readonly reached: { partition: PartitionId; after: Token | undefined };
  /** What was sent or read in vain, to be tried again. */
  readonly failed: Place[];
  /** Records whose tokens others have too, which were sent. */
  readonly beside: PlacedRecord[];
  acknowledged: number;
}

/** What a delivery asks about the ring of now. */
export interface HintPlaces {
  /** Who the primaries of a key are or will be, as far as this node knows. */
  primariesOf(placed: FencedKey): readonly NodeId[];
  /** False for a target that has no copy of the partition any more, nor gets one. */
  takes(target: NodeId, partition: PartitionId): boolean;
  /** Merges a record into a copy, this node's or another's; `settle(true)`: it is durable. */
  mergeAt(
    id: NodeId,
    placed: FencedKey,
    stored: StoredRecord,
    settle: (isMerged: boolean) => void,
  ): void;
  readonly self: NodeId;
  /** What this node has raised in a partition. */
  fenceOf(partition: PartitionId): number;
}

/** Lets `handoff` deliver what `book` holds now, and what it will hold. */
export function deliverHints(book: HintBook, handoff: Handoff, places: HintPlaces): void {
  const debts = new Map<NodeId, HintDebt>();
  book.whenOwed((target) => {
    const debt = debts.get(target) ?? new HintDebt(target, book, places);
    debts.set(target, debt);
    handoff.owe(debt);
  });
}

/**
 * The hints for one target: generation by generation, oldest first. One is dropped once the target
 * has acknowledged every record of it; until then a payment that broke off goes on where it was.
 */
export class HintDebt implements Debt {
  readonly target: NodeId;
  readonly kind = "hints";
  readonly #book: HintBook;
  readonly #places: HintPlaces;
  #delivery: Delivery | undefined;

  constructor(target: NodeId, book: HintBook, places: HintPlaces) {
    this.target = target;
    this.#book = book;
    this.#places = places;
  }

  owed(): Owed {
    let records = 0;
    let bytes = 0;
    let dirtyPartitions = 0;
    for (const generation of this.#book.generationsFor(this.target)) {
      const isUnderWay = this.#delivery?.generation === generation;
      const left = generation.records - (isUnderWay ? (this.#delivery?.acknowledged ?? 0) : 0);
      // One that was just opened for a record owes it already.
      records += Math.max(1, left);
      bytes += generation.bytes;
      dirtyPartitions += this.#book.dirtyPartitions(generation);
    }
    return { records, bytes, dirtyPartitions };
  }

  async pay(payer: Payer): Promise<PaymentOutcome> {
    for (;;) {
      const [generation] = this.#book.generationsFor(this.target);
      if (generation === undefined) return "paid";
      await this.#book.seal(generation);
      const delivery = this.#deliveryOf(generation);
      await this.#send(delivery, payer);
      let outcome = await payer.finish();
      if (outcome === "paid") outcome = await this.#sendBeside(delivery, payer);
      if (outcome !== "paid") return outcome;
      if (!this.#isComplete(delivery)) return "stopped";
      await this.#book.drop(generation);
    }
  }

  #deliveryOf(generation: Generation): Delivery {
    if (this.#delivery?.generation !== generation) {
      this.#delivery = {
        generation,
        reached: { partition: 0, after: undefined },
        failed: [],
        beside: [],
        acknowledged: 0,
      };
    }
    return this.#delivery;
  }

  #isComplete({ reached, failed, beside }: Delivery): boolean {
    const isThrough = reached.partition === this.#book.partitions;
    return isThrough && failed.length === 0 && beside.length === 0;
  }

  async #sendBeside(delivery: Delivery, payer: Payer): Promise<PaymentOutcome> {
    for (let left = delivery.beside.length; left > 0; left -= 1) {
      if (!(await payer.ready())) break;
      const record = delivery.beside.shift();
      invariant(record !== undefined, "what is beside is tried once in each attempt");
      this.#sendRecord(delivery, payer, record, () => delivery.beside.push(record));
    }
    return payer.finish();
  }

  /** Sends what failed before, then the rest; returns early if the payer says stop. */
  async #send(delivery: Delivery, payer: Payer): Promise<void> {
    const { generation, reached, failed } = delivery;
    for (let left = failed.length; left > 0; left -= 1) {
      if (!(await payer.ready())) return;
      const place = failed.shift();
      invariant(place !== undefined, "what failed is tried once in each attempt");
      await this.#sendPlace(delivery, payer, place);
    }
    for (; reached.partition < this.#book.partitions; reached.partition += 1) {
      const { partition } = reached;
      for (;;) {
        const page = await generation.store.list(partition, reached.after, pageTokens);
        if (page.length === 0) break;
        for (const { token, bytes } of page) {
          // Records with one token were found together.
          if (reached.after !== undefined && compareTokens(token, reached.after) === 0) continue;
          if (!(await payer.ready())) return;
          reached.after = token;
          const isRead = this.#sendPlace(delivery, payer, { partition, token });
          if (bytes >= largeBytes) await isRead;
        }
      }
      reached.after = undefined;
    }
  }

  /** Sends what is held at a place; resolves once it is read. */
  #sendPlace(delivery: Delivery, payer: Payer, place: Place): Promise<void> {
    const { promise, settle } = oneShot<void>();
    delivery.generation.store.find({ ...place, evenIfDamaged: true }, (found) => {
      settle();
      if (found === "unknown") {
        // The store is closing.
        delivery.failed.push(place);
        return payer.skip();
      }
      const [stored, ...others] = found;
      for (const each of others) delivery.beside.push({ place, stored: each });
      // Nothing may be left of a damaged record.
      if (stored === undefined) return payer.skip();
      this.#sendRecord(delivery, payer, { place, stored }, () => delivery.failed.push(place));
    });
    return promise;
  }

  #sendRecord(
    delivery: Delivery,
    payer: Payer,
    { place, stored }: PlacedRecord,
    onFailed: () => void,
  ): void {
    const key = decodeRecordKey(stored.bytes);
    invariant(key !== undefined, "a record that was read has a key");
    const placed = { ...key, ...place, fence: this.#places.fenceOf(place.partition) };
    const send = (): void => {
      payer.send(placed, stored, (isPaid) => {
        if (isPaid) delivery.acknowledged += 1;
        else onFailed();
      });
    };
    if (!this.#places.takes(this.target, place.partition)) {
      // Of a bucket that is not known here nobody knows who the primaries are.
      if (this.#places.primariesOf(placed).length === 0) {
        onFailed();
        return payer.skip();
      }
      return this.#holdForOthers(placed, stored, (isHeld) => {
        if (isHeld) delivery.acknowledged += 1;
        else onFailed();
        payer.skip();
      });
    }
    if (!delivery.generation.isReopened) return send();
    this.#holdForOthers(placed, stored, (isHeld) => {
      if (isHeld) return send();
      onFailed();
      payer.skip();
    });
  }

  /**
   * A guest that died may have told nobody but itself: what it wrote is owed to every primary, and
   * is held for the others before the target gets it. So it is if the target is none any more: then
   * the others are its heirs. Where there is no room to hold it, the others get it at once: else
   * hints for two targets could each wait for room that only the other's delivery makes.
   */
  #holdForOthers(placed: FencedKey, stored: StoredRecord, settle: (isHeld: boolean) => void): void {
    const { self } = this.#places;
    const others = this.#places.primariesOf(placed).filter((id) => id !== this.target);
    let pending = others.length;
    let areHeld = true;
    if (pending === 0) return settle(true);
    const settled = (isHeld: boolean): void => {
      areHeld &&= isHeld;
      pending -= 1;
      if (pending === 0) settle(areHeld);
    };
    for (const other of others) {
      if (other === self) {
        this.#places.mergeAt(self, placed, stored, settled);
        continue;
      }
      this.#book.hold(other, placed, stored, (outcome) => {
        if (outcome.ok) settled(true);
        else this.#places.mergeAt(other, placed, stored, settled);
      });
    }
  }
}
