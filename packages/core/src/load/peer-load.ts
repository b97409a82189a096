import { invariant } from "../invariant.ts";
import { QuantileTracker } from "./quantile-tracker.ts";

/** A read slower than this share of a peer's reads is worth another one. */
const hedgeQuantile = 0.95;
/** Weight of one latency in the average, where they come all the time. */
const weight = 1 / 8;
/** Silence of so many times what 95 of 100 reads take is more than chance. */
const silentFactor = 3;
/** Rarer ones weigh more: after so long without any, all. */
const memoryMs = 1000;

/** What one node knows of how quickly a peer answers its reads. Times are monotonic. */
export class PeerLoad {
  readonly #quantile: QuantileTracker;
  /** Average of what reads took; `undefined` before the first answer. */
  #smoothedMs: number | undefined;
  #smoothedAtMs = 0;
  #outstanding = 0;
  /** Since when every answer is outstanding: the first call that waits, or the last answer. */
  #waitingSinceMs = 0;

  /** @param firstMs the latency to go by before anything is known. */
  constructor(firstMs: number) {
    this.#quantile = new QuantileTracker(hedgeQuantile, firstMs);
  }

  /** How long 95 of 100 reads took at most. */
  get p95Ms(): number {
    return this.#quantile.ms;
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  /** How long reads take on average; 0: not known. */
  get usualMs(): number {
    return this.#smoothedMs ?? 0;
  }

  /** What one more read is expected to take, for comparison with other peers; 0: not known. */
  get costMs(): number {
    return this.usualMs * (this.#outstanding + 1);
  }

  /** True if it was asked, and has said nothing for so long and far longer than usual. */
  isSilent(nowMs: number, ms: number): boolean {
    if (this.#outstanding === 0) return false;
    return nowMs - this.#waitingSinceMs > Math.max(ms, silentFactor * this.#quantile.ms);
  }

  /** A read was sent to it. */
  began(nowMs: number): void {
    if (this.#outstanding === 0) this.#waitingSinceMs = nowMs;
    this.#outstanding += 1;
  }

  /** It answered. What a hedge took never counts towards what makes reads hedge. */
  answered(sinceMs: number, nowMs: number, isHedge: boolean): void {
    this.#ended();
    this.#waitingSinceMs = nowMs;
    const ms = nowMs - sinceMs;
    if (!isHedge) this.#quantile.add(ms);
    this.#smooth(ms, nowMs);
  }

  /** It did not answer in time: all that is known is that the read took longer than that. */
  timedOut(sinceMs: number, nowMs: number, isHedge: boolean): void {
    this.#ended();
    const ms = nowMs - sinceMs;
    if (!isHedge && ms > this.#quantile.ms) this.#quantile.add(ms);
    if (ms > (this.#smoothedMs ?? 0)) this.#smooth(ms, nowMs);
  }

  /** The read was not sent after all. */
  refused(): void {
    this.#ended();
  }

  #ended(): void {
    invariant(this.#outstanding > 0, "a read that ends was sent");
    this.#outstanding -= 1;
  }

  #smooth(ms: number, nowMs: number): void {
    const before = this.#smoothedMs ?? ms;
    const share = Math.min(1, weight + (nowMs - this.#smoothedAtMs) / memoryMs);
    this.#smoothedMs = before + (ms - before) * share;
    this.#smoothedAtMs = nowMs;
  }
}
