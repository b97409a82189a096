import type { PeerResponse } from "@coterie/cluster";
import type { MonotonicMs, Reply } from "@coterie/ports";

/** A call that waits for its answer. */
export interface PendingCall {
  readonly id: number;
  readonly deadline: MonotonicMs;
  /** Encoded size. */
  readonly bytes: number;
  /** The number, in its stream, of the message that carries it. */
  readonly message: number;
  readonly settle: (reply: Reply<PeerResponse>) => void;
}

const slotsFirst = 256;
const idCount = 2 ** 32;

/**
 * Calls by correlation id, in slots: ids count up and wrap at 2^32, skipping slots still taken, so
 * that the answer to a call that was given up finds an empty slot or another id, never another
 * call.
 */
export class PendingCalls {
  #slots: (PendingCall | undefined)[] = Array.from({ length: slotsFirst });
  #lastId: number;
  #count = 0;
  #bytes = 0;

  /** @param lastId the id before the first one. */
  constructor(lastId: number = 0) {
    this.#lastId = lastId;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** An id that no waiting call has; its slot is free until the next {@link add}. */
  nextId(): number {
    if (this.#count * 2 >= this.#slots.length) this.#grow();
    do this.#lastId = (this.#lastId + 1) % idCount;
    while (this.#slots[this.#slotOf(this.#lastId)] !== undefined);
    return this.#lastId;
  }

  /** Adds a call with the id that {@link nextId} returned last. */
  add(call: PendingCall): void {
    this.#slots[this.#slotOf(call.id)] = call;
    this.#count += 1;
    this.#bytes += call.bytes;
  }

  /** Takes out the call with this id, if it still waits. */
  take(id: number): PendingCall | undefined {
    const slot = this.#slotOf(id);
    const call = this.#slots[slot];
    if (call === undefined || call.id !== id) return undefined;
    this.#slots[slot] = undefined;
    this.#count -= 1;
    this.#bytes -= call.bytes;
    return call;
  }

  /** Takes out every call, oldest slot first. */
  takeAll(): readonly PendingCall[] {
    const calls = this.#slots.filter((call) => call !== undefined);
    this.#slots = Array.from({ length: slotsFirst });
    this.#count = 0;
    this.#bytes = 0;
    return calls;
  }

  /** Takes out every call whose deadline is not after `now`. */
  takeExpired(now: MonotonicMs): readonly PendingCall[] {
    const calls = this.#slots.filter((call) => call !== undefined);
    const expired = calls.filter((call) => call.deadline <= now);
    for (const call of expired) this.take(call.id);
    return expired;
  }

  /** The earliest deadline; infinite when nothing waits. */
  earliestDeadline(): MonotonicMs {
    let earliest = Number.POSITIVE_INFINITY;
    for (const call of this.#slots) {
      if (call !== undefined && call.deadline < earliest) earliest = call.deadline;
    }
    return earliest;
  }

  #slotOf(id: number): number {
    return id & (this.#slots.length - 1);
  }

  /** Ids that differ in their slots differ in twice as many slots too. */
  #grow(): void {
    const calls = this.#slots;
    this.#slots = Array.from({ length: calls.length * 2 });
    for (const call of calls) if (call !== undefined) this.#slots[this.#slotOf(call.id)] = call;
  }
}
