import {
  Descent,
  type DifferingToken,
  type PartitionId,
  type RingStamp,
  differingTokens,
  partitionNode,
  partitionOf,
  questionsMax,
  rootNode,
} from "@coterie/core";
import type { BatchRoom, BulkPayer } from "../handoff/debt.ts";
import type { LookedEntry } from "../messages.ts";
import { entriesUnder, inTurns, looksMax } from "./answer-compare.ts";
import { type Difference, type ExchangeParts, exchangeBatch } from "./exchange-batch.ts";
import type { SharedSource } from "./shared-source.ts";

/** Differing tokens that are gathered before they are exchanged: the more, the denser they lie. */
const gatheredTokens = 32_768;

/** Hears of what an exchange has done. */
export interface ExchangeWatch {
  /** Of this partition both hold the same now, apart from what came meanwhile. */
  onComplete(partition: PartitionId): void;
  /** Of a key that differed both hold the same now. */
  onExchanged(): void;
}

/**
 * Compares what this node and another one hold of these partitions, both having a copy, and makes
 * both hold the same: by a tree of digests down to tokens, then those that still differ after a
 * moment, record by record. True if all of them were completed.
 */
export async function exchange(
  parts: ExchangeParts,
  payer: BulkPayer,
  partitions: readonly PartitionId[],
  watch: ExchangeWatch,
): Promise<boolean> {
  return new Exchange(parts, payer, watch, partitions).run();
}

/** Some that differs, and where the way through the tree is by then. */
interface Gathered {
  readonly differing: readonly Difference[];
  /** Nothing else differs in the partitions before this one of the list. */
  readonly lookedThrough: number;
}

class Exchange {
  readonly #parts: ExchangeParts;
  readonly #payer: BulkPayer;
  readonly #watch: ExchangeWatch;
  readonly #source: SharedSource;
  /** Of the ring that says what is shared: under another one the same questions mean others. */
  readonly #stamp: RingStamp;
  readonly #descent: Descent;
  /** What is to be compared, by its index in the list that the tree is over. */
  readonly #wanted: Map<number, PartitionId>;
  /** Partitions of which something could not be exchanged. */
  readonly #failed = new Set<PartitionId>();
  /** How many of the list were told to be complete, or failed. */
  #told = 0;

  constructor(
    parts: ExchangeParts,
    payer: BulkPayer,
    watch: ExchangeWatch,
    partitions: readonly PartitionId[],
  ) {
    this.#parts = parts;
    this.#payer = payer;
    this.#watch = watch;
    this.#source = parts.replica.sources.of(parts.target);
    this.#stamp = parts.ring().stamp;
    const { kept, left } = this.#source;
    this.#wanted = new Map();
    for (const partition of new Set(partitions)) {
      const index = this.#source.indexOf(partition);
      if (index !== undefined) this.#wanted.set(index, partition);
    }
    const isAll = left.length === 0 && kept.length > 0 && this.#wanted.size === kept.length;
    const indexes = [...this.#wanted.keys()].toSorted((one, other) => one - other);
    const nodes = isAll ? [rootNode(kept.length)] : indexes.map(partitionNode);
    this.#descent = new Descent(this.#source, nodes);
  }

  /** While some is exchanged, the next that differs is looked for. */
  async run(): Promise<boolean> {
    let isGoingOn = true;
    let settling = Promise.resolve(true);
    while (isGoingOn && !this.#descent.isOver) {
      const gathered = await this.#gather();
      isGoingOn = (await settling) && gathered !== undefined;
      if (isGoingOn && gathered !== undefined) settling = this.#settle(gathered);
    }
    isGoingOn = (await settling) && isGoingOn;
    return isGoingOn && this.#failed.size === 0;
  }

  /** Some that differs, and still does after a moment; `undefined`: there is no use in going on. */
  async #gather(): Promise<Gathered | undefined> {
    if (!(await this.#descend())) return undefined;
    const { lookedThrough } = this.#descent;
    const found = this.#descent.take();
    // What is being written differs for a moment.
    if (found.length > 0) await this.#payer.moment();
    const differing: Difference[] = [];
    for (let at = 0; at < found.length;) {
      const together = this.#payer.together(looksMax);
      const some = await this.#lookAgain(found.slice(at, at + together));
      at += together;
      if (some === undefined) return undefined;
      for (const each of some) differing.push(each);
    }
    return { differing: differing.toSorted(compareDifferences), lookedThrough };
  }

  /** Finds some more that differs; false if there is no use in going on. */
  async #descend(): Promise<boolean> {
    const { clock, self } = this.#parts;
    while (this.#descent.found < this.#payer.together(gatheredTokens)) {
      const most = this.#payer.together(questionsMax);
      const questions = await inTurns(clock, this.#descent.questions(most));
      if (questions.length === 0) return true;
      if (!(await this.#payer.mayGoOn())) return false;
      const request = { kind: "compare", stamp: this.#stamp, sender: self, questions } as const;
      const response = await this.#payer.ask(request);
      if (response?.kind !== "compared") return false;
      if (!(await inTurns(clock, this.#descent.receive(response.differences)))) return false;
    }
    return true;
  }

  /** Exchanges what was gathered, as there is room; false if there is no use in going on. */
  async #settle({ differing, lookedThrough }: Gathered): Promise<boolean> {
    const exchanges: Promise<void>[] = [];
    let isGoingOn = true;
    for (let at = 0; at < differing.length;) {
      const room = await this.#payer.room();
      isGoingOn = room !== undefined;
      if (room === undefined) break;
      exchanges.push(this.#exchange(room, differing.slice(at, at + room.records)));
      at += room.records;
    }
    for (const each of exchanges) await each;
    if (isGoingOn) this.#tell(lookedThrough);
    return isGoingOn;
  }

  async #exchange(room: BatchRoom, differences: readonly Difference[]): Promise<void> {
    const parts = { ...this.#parts, payer: this.#payer, source: this.#source };
    const failed = await exchangeBatch(parts, room, differences);
    this.#payer.leave(room);
    for (const partition of failed) this.#failed.add(partition);
    for (const { partition } of differences) {
      if (!failed.has(partition)) this.#watch.onExchanged();
    }
  }

  /** Which of the tokens still differ; `undefined` if there was no answer. */
  async #lookAgain(found: readonly DifferingToken[]): Promise<readonly Difference[] | undefined> {
    const { clock, self } = this.#parts;
    const stamp = this.#stamp;
    const tokens = found.map(({ token }) => token);
    if (!(await this.#payer.mayGoOn())) return undefined;
    const response = await this.#payer.ask({ kind: "look", stamp, sender: self, tokens });
    if (response?.kind !== "looked") return undefined;
    const ours = await entriesUnder(clock, this.#source, found);
    return differingTokens<LookedEntry>(ours, response.entries).map(({ token, own, their }) => ({
      token,
      partition: partitionOf(token, this.#source.partitions),
      isTheirs: their !== undefined,
      isOurs: own !== undefined,
      place: (their ?? own)?.place ?? 0,
    }));
  }

  /** Says which partitions are complete, of those before this one of the list. */
  #tell(lookedThrough: number): void {
    for (; this.#told < lookedThrough; this.#told += 1) {
      const partition = this.#wanted.get(this.#told);
      if (partition === undefined || this.#failed.has(partition)) continue;
      this.#watch.onComplete(partition);
    }
  }
}

/** What is fetched goes before what is only sent, both in the order in which they are read. */
function compareDifferences(left: Difference, right: Difference): number {
  return Number(right.isTheirs) - Number(left.isTheirs) || left.place - right.place;
}
