/** Something that will happen at a virtual time, unless it is cancelled. */
export interface Event {
  readonly timeMs: number;
  /** Among events of one time: what is ready first, then what waits for the end of the turn. */
  readonly phase: "ready" | "after-turn";
  /** Drawn from the seed, a signed integer of 32 bits: orders events of one time and phase. */
  readonly tie: number;
  readonly sequence: number;
  /** Nothing any more once the event is cancelled: its time may be far, and what it holds much. */
  run: (() => void) | undefined;
}

/**
 * A binary heap of events, earliest first. Their times stand in a list of their own: nearly always
 * they decide alone, and a list of numbers is compared without looking at an event.
 */
export class EventQueue {
  readonly #heap: Event[] = [];
  readonly #times: number[] = [];

  push(event: Event): void {
    const heap = this.#heap;
    const times = this.#times;
    const { timeMs } = event;
    let at = heap.push(event) - 1;
    times.push(timeMs);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = times[parent] as number;
      if (above < timeMs) break;
      if (above === timeMs && !isBefore(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      times[at] = above;
      at = parent;
    }
    heap[at] = event;
    times[at] = timeMs;
  }

  /** The earliest event, left in the queue. */
  peek(): Event | undefined {
    const heap = this.#heap;
    while (heap.length > 0 && (heap[0] as Event).run === undefined) this.#removeFirst();
    return heap[0];
  }

  pop(): Event | undefined {
    const first = this.peek();
    if (first !== undefined) this.#removeFirst();
    return first;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const times = this.#times;
    const last = heap.pop() as Event;
    times.pop();
    const { length } = heap;
    if (length === 0) return;
    const { timeMs } = last;
    let at = 0;
    for (let child = 1; child < length; child = at * 2 + 1) {
      let below = times[child] as number;
      if (child + 1 < length) {
        const right = times[child + 1] as number;
        if (right < below || (right === below && this.#isRightFirst(child))) {
          child += 1;
          below = right;
        }
      }
      if (timeMs < below) break;
      if (timeMs === below && !isBefore(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      times[at] = below;
      at = child;
    }
    heap[at] = last;
    times[at] = timeMs;
  }

  /** Of two children with one time. */
  #isRightFirst(left: number): boolean {
    return isBefore(this.#heap[left + 1] as Event, this.#heap[left] as Event);
  }
}

/** Of two events with one time. */
function isBefore(left: Event, right: Event): boolean {
  if (left.phase !== right.phase) return left.phase === "ready";
  if (left.tie !== right.tie) return left.tie < right.tie;
  return left.sequence < right.sequence;
}
