import { invariant } from "../invariant.ts";

/** Times in milliseconds. */
export interface CircuitSettings {
  /** Silence of a peer that was asked something, after which it is pinged. */
  readonly silenceMs: number;
  /** How long the answer to a ping may take. */
  readonly pingMs: number;
  /** The same where the budget of unanswered calls is full. */
  readonly fullSilenceMs: number;
  /** Pause between two pings of a peer that somebody wants something of. */
  readonly retryMs: number;
  /** Pause where nobody does. */
  readonly idleRetryMs: number;
  /** What is later than this by so much says that this process stood still. */
  readonly stallMs: number;
}

/**
 * A peer that stands still, or behind a cut link, is found out after 1.2 s: well before a request
 * with the usual deadline of 2 s ends, and later than pauses that a healthy process has.
 */
export const circuitDefaults: CircuitSettings = {
  silenceMs: 500,
  fullSilenceMs: 100,
  pingMs: 700,
  retryMs: 300,
  idleRetryMs: 1000,
  stallMs: 100,
};

export type CircuitState = "closed" | "doubted" | "open" | "half-open";

/** For how long after somebody wanted something of a peer it is pinged often. */
const wantedMs = 10_000;

/**
 * Whether calls to one peer are worth sending: a circuit breaker (Nygard, *Release It!*, 2007) with
 * a difference. What opens it is never a slow answer, but a ping that nobody answers, which waits
 * for no disk, and behind no large record.
 *
 *     closed ──silence, a full budget, a suspicion──▶ doubted ──any answer──▶ closed
 *     doubted ──no answer to the ping──▶ open ──a pause──▶ half-open ──no answer──▶ open
 *     open, half-open ──any answer──▶ closed
 *
 * One ping is under way at a time, and calls are sent while closed or doubted. The shell pings when
 * {@link dueMs} has come and {@link tick} says so, and tells with {@link pinged} what came of it.
 */
export class Circuit {
  readonly #settings: CircuitSettings;
  #state: CircuitState = "closed";
  #outstanding = 0;
  /** Since when calls are outstanding or ended in vain, without an answer to any. */
  #silentSinceMs = Number.POSITIVE_INFINITY;
  #pingAtMs = Number.POSITIVE_INFINITY;
  #pingEndsMs = 0;
  #isPinging = false;
  #wantedAtMs = Number.NEGATIVE_INFINITY;

  constructor(settings: CircuitSettings) {
    this.#settings = settings;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** False: what would be sent now would not be answered. */
  get isPassable(): boolean {
    return this.#state === "closed" || this.#state === "doubted";
  }

  /** When to call {@link tick}; infinite if there is nothing to do. */
  get dueMs(): number {
    if (this.#isPinging) return Number.POSITIVE_INFINITY;
    if (this.#state === "closed") {
      return Math.min(this.#pingAtMs, this.#silentSinceMs + this.#settings.silenceMs);
    }
    return this.#pingAtMs;
  }

  /** Somebody would like to call this peer. */
  wanted(nowMs: number): void {
    this.#wantedAtMs = nowMs;
    if (this.#state !== "open") return;
    this.#pingAtMs = Math.min(this.#pingAtMs, nowMs + this.#settings.retryMs);
  }

  /** A call is sent. */
  began(nowMs: number): void {
    this.#outstanding += 1;
    if (nowMs < this.#silentSinceMs) this.#silentSinceMs = nowMs;
  }

  /** A call was answered, whatever the answer. */
  answered(nowMs: number): void {
    this.#ended();
    this.#heard(nowMs);
  }

  /** A call ended without an answer; silence goes on. */
  expired(): void {
    this.#ended();
  }

  /** A call was not sent after all, since the stream is broken. */
  refused(): void {
    this.#ended();
    if (this.#outstanding === 0) this.#silentSinceMs = Number.POSITIVE_INFINITY;
  }

  /** A call was not sent after all, since too many wait for answers. */
  refusedOverBudget(): void {
    this.refused();
    this.#pingAtMs = Math.min(this.#pingAtMs, this.#silentSinceMs + this.#settings.fullSilenceMs);
  }

  /** Something suggests that the peer is gone, or is back: it is pinged at once. */
  doubt(nowMs: number): void {
    this.#pingAtMs = nowMs;
  }

  /**
   * Does what is due. Where this comes much too late, this process has heard nobody, and blames
   * nobody for it.
   */
  tick(nowMs: number): "ping" | undefined {
    const { pingMs, silenceMs, stallMs } = this.#settings;
    if (nowMs < this.dueMs) return undefined;
    const isStall = this.#pingAtMs > nowMs && nowMs - this.dueMs > stallMs;
    if (this.#state === "closed" && isStall) {
      this.#silentSinceMs = nowMs + stallMs - silenceMs;
      return undefined;
    }
    this.#state = this.#state === "closed" ? "doubted" : "half-open";
    this.#pingAtMs = Number.POSITIVE_INFINITY;
    this.#pingEndsMs = nowMs + pingMs;
    this.#isPinging = true;
    return "ping";
  }

  /** What came of the ping: `opened` once, when it is the first one in vain. */
  pinged(isAnswered: boolean, nowMs: number): "opened" | undefined {
    const { idleRetryMs, retryMs, stallMs } = this.#settings;
    invariant(this.#isPinging, "a ping that ends was sent");
    this.#isPinging = false;
    if (isAnswered) {
      this.#heard(nowMs);
      return undefined;
    }
    if (this.#state === "closed") return undefined;
    const wasDoubted = this.#state === "doubted";
    if (wasDoubted && nowMs - this.#pingEndsMs > stallMs) {
      this.#state = "closed";
      this.#pingAtMs = nowMs;
      return undefined;
    }
    this.#state = "open";
    this.#pingAtMs = nowMs + (nowMs - this.#wantedAtMs > wantedMs ? idleRetryMs : retryMs);
    return wasDoubted ? "opened" : undefined;
  }

  #ended(): void {
    invariant(this.#outstanding > 0, "a call that ends was sent");
    this.#outstanding -= 1;
  }

  #heard(nowMs: number): void {
    this.#silentSinceMs = this.#outstanding > 0 ? nowMs : Number.POSITIVE_INFINITY;
    this.#state = "closed";
    this.#pingAtMs = Number.POSITIVE_INFINITY;
  }
}
