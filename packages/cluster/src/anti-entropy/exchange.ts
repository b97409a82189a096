import {
  Descent,
  type DifferingToken,
  type PartitionId,
  type Token,
  type TreeEntry,
  differingTokens,
  partitionNode,
  partitionOf,
  rootNode,
} from "@coterie/core";
import type { Payer } from "../handoff/debt.ts";
import { oneShot } from "../one-shot.ts";
import { inTurns, looksMax } from "./answer-compare.ts";
import { type Difference, type ExchangeParts, exchangeToken } from "./exchange-token.ts";
import type { SharedSource } from "./shared-source.ts";

/** What is under way differs for a moment: so long it gets before it is looked at again. */
const secondLookMs = 25;
/** Differing tokens that are gathered before they are looked at again. */
const batchTokens = 4096;

/** Hears of what an exchange has done. */
export interface ExchangeWatch {
  /** Of this partition both hold the same now, apart from what came meanwhile. */
  onComplete(partition: PartitionId): void;
  /** Of a key that differed both hold the same now. */
  onExchanged(): void;
}

/**
 * Compares what this node and another one hold of these partitions, both owning a copy, and makes
 * both hold the same: by a tree of digests down to tokens, then those that still differ after a
 * moment, record by record. True if all of them were completed.
 */
export async function exchange(
  parts: ExchangeParts,
  payer: Payer,
  partitions: readonly PartitionId[],
  watch: ExchangeWatch,
): Promise<boolean> {
  return new Exchange(parts, payer, watch, partitions).run();
}

class Exchange {
  readonly #parts: ExchangeParts;
  readonly #payer: Payer;
  readonly #watch: ExchangeWatch;
  readonly #source: SharedSource;
  readonly #descent: Descent;
  readonly #wanted: ReadonlySet<PartitionId>;
  /** Partitions of which something could not be exchanged. */
  readonly #failed = new Set<PartitionId>();
  /** How many of the list were told to be complete, or failed. */
  #told = 0;

  constructor(
    parts: ExchangeParts,
    payer: Payer,
    watch: ExchangeWatch,
    partitions: readonly PartitionId[],
  ) {
    this.#parts = parts;
    this.#payer = payer;
    this.#watch = watch;
    this.#source = parts.replica.sources.of(parts.target);
    const { shared } = this.#source;
    this.#wanted = new Set(partitions);
    const isAll = shared.every((partition) => this.#wanted.has(partition));
    const indexes = shared.flatMap((partition, index) =>
      this.#wanted.has(partition) ? index : [],
    );
    const nodes = isAll ? [rootNode(shared.length)] : indexes.map(partitionNode);
    this.#descent = new Descent(this.#source, shared.length === 0 ? [] : nodes);
  }

  async run(): Promise<boolean> {
    while (!this.#descent.isOver) {
      if (!(await this.#descend()) || !(await this.#settle(this.#descent.take()))) return false;
      this.#tell();
    }
    this.#tell();
    return this.#failed.size === 0;
  }

  /** Finds some more that differs; false if there is no use in going on. */
  async #descend(): Promise<boolean> {
    const { clock, ring, self } = this.#parts;
    while (this.#descent.found < batchTokens) {
      const questions = await inTurns(clock, this.#descent.questions());
      if (questions.length === 0) return true;
      const { stamp } = ring();
      const request = { kind: "compare", stamp, sender: self, questions } as const;
      const response = await this.#payer.ask(request);
      if (response?.kind !== "compared") return false;
      if (!(await inTurns(clock, this.#descent.receive(response.differences)))) return false;
    }
    return true;
  }

  /** Exchanges what still differs; false if there is no use in going on. */
  async #settle(found: readonly DifferingToken[]): Promise<boolean> {
    if (found.length === 0) return true;
    await this.#pause();
    const exchanges: Promise<void>[] = [];
    let isGoingOn = true;
    for (let at = 0; at < found.length && isGoingOn; at += looksMax) {
      const differing = await this.#lookAgain(found.slice(at, at + looksMax));
      isGoingOn = differing !== undefined;
      for (const each of differing ?? []) {
        isGoingOn = await this.#payer.ready();
        if (!isGoingOn) break;
        exchanges.push(this.#exchange(each));
      }
    }
    for (const each of exchanges) await each;
    return isGoingOn;
  }

  async #exchange(difference: Difference): Promise<void> {
    if (await exchangeToken(this.#parts, this.#payer, difference)) this.#watch.onExchanged();
    else this.#failed.add(difference.partition);
  }

  /** Which of the tokens still differ; `undefined` if there was no answer. */
  async #lookAgain(found: readonly DifferingToken[]): Promise<readonly Difference[] | undefined> {
    const { ring, self } = this.#parts;
    const { stamp } = ring();
    const tokens = found.map(({ token }) => token);
    const response = await this.#payer.ask({ kind: "look", stamp, sender: self, tokens });
    if (response?.kind !== "listed") return undefined;
    const theirs: readonly TreeEntry[] = response.entries;
    const ours = [...this.#source.under(found)];
    const theirTokens = new Set(theirs.map(({ token }) => nameOf(token)));
    const ownTokens = new Set(ours.map(({ token }) => nameOf(token)));
    return differingTokens(ours, theirs).map((token) => ({
      token,
      partition: partitionOf(token, this.#source.partitions),
      isTheirs: theirTokens.has(nameOf(token)),
      isOurs: ownTokens.has(nameOf(token)),
    }));
  }

  /** Says which partitions are complete: those before the next one that is to be looked at. */
  #tell(): void {
    const { shared } = this.#source;
    for (; this.#told < this.#descent.lookedThrough; this.#told += 1) {
      const partition = shared[this.#told] as PartitionId;
      if (!this.#wanted.has(partition) || this.#failed.has(partition)) continue;
      this.#watch.onComplete(partition);
    }
  }

  #pause(): Promise<void> {
    const { clock } = this.#parts;
    const { promise, settle } = oneShot<void>();
    clock.at(clock.monotonicMs() + secondLookMs, settle);
    return promise;
  }
}

function nameOf({ high, low }: Token): string {
  return `${high}:${low}`;
}
