import { invariant } from "@coterie/core";
import type { Cancel, Clock, MonotonicMs, WallMs } from "@coterie/ports";

/** Deadlines are rounded up to this: one wake-up serves all of a bucket. */
const bucketMs = 2;
/** A power of two. Deadlines further away than a lap (8 s) stay for another one. */
const bucketsPerLap = 4096;

/**
 * A deadline that fires so late is no news of others: this process stood still, and what came for
 * it meanwhile has not been read.
 */
const stallMs = 20;

interface Deadline {
  /** Counted from the clock's zero, over all laps. */
  readonly bucket: number;
  fire: (() => void) | undefined;
  /** Its place in its bucket; what is last there takes it when this one leaves. */
  place: number;
}

/**
 * This process's clock. Nearly all deadlines are cancelled - the operation came in time - so both
 * setting and cancelling one cost a few array writes: a timing wheel (Varghese and Lauck, scheme 6)
 * with one timer for the next bucket that is not empty. A pending deadline keeps the process alive,
 * as a timer would.
 *
 * After a stall the event loop runs timers before it reads sockets: every answer that had come in
 * time would be given up. So deadlines that are late fire once what is there has been read.
 */
export class SystemClock implements Clock {
  readonly #wheel: Deadline[][] = Array.from({ length: bucketsPerLap }, () => []);
  #waiting = 0;
  /** All deadlines up to this bucket have fired. */
  #lastFired = -1;
  #timer: NodeJS.Timeout | undefined;
  #timerBucket = Number.POSITIVE_INFINITY;
  #afterTurn: (() => void)[] = [];

  monotonicMs(): MonotonicMs {
    return performance.now();
  }

  wallMs(): WallMs {
    return Date.now();
  }

  at(deadline: MonotonicMs, fire: () => void): Cancel {
    invariant(Number.isFinite(deadline), "a deadline is a time");
    const bucket = Math.max(Math.floor(deadline / bucketMs), this.#lastFired + 1);
    const entry: Deadline = { bucket, fire, place: 0 };
    entry.place = this.#slot(bucket).push(entry) - 1;
    if (this.#waiting++ === 0) this.#timer?.ref();
    if (bucket < this.#timerBucket) this.#wakeFor(bucket);
    return () => this.#cancel(entry);
  }

  afterTurn(fire: () => void): void {
    if (this.#afterTurn.push(fire) > 1) return;
    setImmediate(() => {
      const ready = this.#afterTurn;
      this.#afterTurn = [];
      for (const each of ready) each();
    });
  }

  #slot(bucket: number): Deadline[] {
    return this.#wheel[bucket & (bucketsPerLap - 1)] as Deadline[];
  }

  #cancel(entry: Deadline): void {
    if (entry.fire === undefined) return;
    entry.fire = undefined;
    // One that is about to fire has left its bucket already.
    if (entry.place < 0) return;
    const slot = this.#slot(entry.bucket);
    const last = slot.pop() as Deadline;
    if (last !== entry) {
      slot[entry.place] = last;
      last.place = entry.place;
    }
    // The timer stays, but no longer keeps the process alive: the next deadline is usually near.
    if (--this.#waiting === 0) this.#timer?.unref();
  }

  #wakeFor(bucket: number): void {
    clearTimeout(this.#timer);
    this.#timerBucket = bucket;
    // A bucket is due when its last instant has passed, so that nothing fires early.
    const delayMs = Math.max(1, Math.ceil((bucket + 1) * bucketMs - performance.now()));
    const lapMs = bucketsPerLap * bucketMs;
    const sleepMs = Math.min(delayMs, lapMs);
    const lateMs = performance.now() + sleepMs + stallMs;
    this.#timer = setTimeout(() => this.#wakeAfter(lateMs), sleepMs);
  }

  #wakeAfter(lateMs: number): void {
    this.#timer = undefined;
    this.#timerBucket = Number.POSITIVE_INFINITY;
    if (performance.now() < lateMs) this.#wake();
    else setImmediate(() => this.#wake());
  }

  #wake(): void {
    const due = this.#takeDue(Math.floor(performance.now() / bucketMs) - 1);
    // Before they fire: one of them may throw, or set a deadline of its own.
    if (this.#waiting > 0) this.#wakeFor(this.#nextBucket());
    for (const entry of due) {
      const { fire } = entry;
      entry.fire = undefined;
      fire?.();
    }
  }

  /** Takes out every deadline up to `bucket`, in the order of the buckets. */
  #takeDue(bucket: number): readonly Deadline[] {
    const due: Deadline[] = [];
    const first = Math.max(this.#lastFired + 1, bucket - bucketsPerLap + 1);
    for (let at = first; at <= bucket; at++) {
      const slot = this.#slot(at);
      if (slot.length === 0) continue;
      const later = slot.filter((entry) => entry.bucket > bucket);
      for (const entry of slot) {
        if (entry.bucket > bucket) continue;
        entry.place = -1;
        due.push(entry);
      }
      for (const [place, entry] of later.entries()) entry.place = place;
      this.#wheel[at & (bucketsPerLap - 1)] = later;
    }
    this.#lastFired = Math.max(this.#lastFired, bucket);
    this.#waiting -= due.length;
    return due;
  }

  /** The next bucket that is not empty, as seen from here; its deadlines may be laps away. */
  #nextBucket(): number {
    let bucket = this.#lastFired + 1;
    while (this.#slot(bucket).length === 0) bucket++;
    return bucket;
  }
}
