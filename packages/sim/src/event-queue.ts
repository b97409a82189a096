/** Something that will happen at a virtual time, unless it is cancelled. */
export interface Event {
  readonly timeMs: number;
  /** Among events of one time: what is ready first, then what waits for the end of the turn. */
  readonly phase: "ready" | "after-turn";
  /** Drawn from the seed: orders events of one time and phase. */
  readonly tie: number;
  readonly sequence: number;
  /** Nothing any more once the event is cancelled: its time may be far, and what it holds much. */
  run: (() => void) | undefined;
}

/** A binary heap of events, earliest first. */
export class EventQueue {
  readonly #heap: Event[] = [];

  push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
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
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Event)) child++;
      const below = heap[child] as Event;
      if (!isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(left: Event, right: Event): boolean {
  if (left.timeMs !== right.timeMs) return left.timeMs < right.timeMs;
  if (left.phase !== right.phase) return left.phase === "ready";
  if (left.tie !== right.tie) return left.tie < right.tie;
  return left.sequence < right.sequence;
}
