import { setTimeout as sleep } from "node:timers/promises";
import type { FindPageOutcome, HeldCopy } from "./find-page.ts";

/** Pauses before a page is asked for again. */
const RETRY_MS: readonly number[] = [200, 500, 1000];

/** What one node holds, page by page in the order of tokens, as far as it answers. */
export class NodeHoldings {
  readonly id: string;
  readonly #ask: (cursor: string | undefined) => Promise<FindPageOutcome>;
  #copies: HeldCopy[] = [];
  #cursor: string | undefined;
  #isOver = false;
  #isWhole = true;
  #problem: string | undefined;

  /** @param from the cursor to begin at. */
  constructor(
    id: string,
    from: string | undefined,
    ask: (cursor: string | undefined) => Promise<FindPageOutcome>,
  ) {
    this.id = id;
    this.#cursor = from;
    this.#ask = ask;
  }

  /** There may be more. */
  get isRunning(): boolean {
    return !this.#isOver && this.#problem === undefined;
  }

  /** Nothing is waiting to be taken. */
  get isEmpty(): boolean {
    return this.#copies.length === 0;
  }

  /** The token up to which the node has answered; empty before its first answer. */
  get reached(): string {
    return this.#cursor ?? "";
  }

  /** Why it stopped answering. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** False if the node said that it lacks what damage took from it. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** True if it has answered for all tokens up to this one. */
  hasReached(token: string): boolean {
    return this.#isOver || this.reached >= token;
  }

  /** Gets the next page. A node that stays silent, or refuses, is not asked again. */
  async advance(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#ask(this.#cursor);
      if (outcome.ok) {
        const { copies, cursor, isWhole } = outcome.page;
        this.#copies.push(...copies);
        this.#isOver = cursor === null;
        this.#cursor = cursor ?? this.#cursor;
        if (!isWhole) this.#isWhole = false;
        return;
      }
      const pauseMs = RETRY_MS[attempt];
      if (pauseMs === undefined || !outcome.retryable) {
        this.#problem = outcome.reason;
        return;
      }
      await sleep(pauseMs);
    }
  }

  /** Takes what lies at or before a token; everything, without one. */
  takeUpTo(token: string | undefined): readonly HeldCopy[] {
    if (token === undefined) return this.#copies.splice(0);
    const end = this.#copies.findIndex((copy) => copy.token > token);
    return this.#copies.splice(0, end < 0 ? this.#copies.length : end);
  }
}
