import { Slab, invariant } from "@coterie/core";
import type { Cancel } from "@coterie/ports";
import { type Event, EventQueue } from "./event-queue.ts";
import type { Memory } from "./memory.ts";
import { SeededRandom } from "./random.ts";
import { Trace, type TracePart } from "./trace.ts";

/** Between which two values a latency is drawn. */
export interface LatencyRange {
  readonly msMin: number;
  readonly msMax: number;
}

/** A way to run events that costs less than a turn of the event loop for each. */
export interface Turns {
  /** Calls `work` from the event loop itself, and settles when it has returned or thrown. */
  readonly run: (work: () => void) => Promise<void>;
  /** Within `work`: runs every continuation that is ready before it returns. */
  readonly drain: () => void;
}

export interface WorldOptions {
  readonly seed: number | string;
  /**
   * Resolves when every continuation that is ready has run. In Node:
   * `() => new Promise((resolve) => setImmediate(resolve))`, since immediates run only once all
   * microtasks are done.
   */
  readonly drain: () => Promise<void>;
  /** Used in place of `drain` between events, if given. What happens is the same. */
  readonly turns?: Turns | undefined;
  /** For what disks hold and messages carry; without it, a memory that is collected. */
  readonly memory?: Memory | undefined;
  /** Lines of the trace kept for a failure's report. */
  readonly traceLinesMax?: number;
}

export interface RunLimits {
  /** Events up to and including this virtual time happen; time then stands there. */
  readonly until?: number;
}

/**
 * Latencies are multiples of this, so that events do fall together in one turn and batching is
 * exercised; a power of two, so that sums of them are exact.
 */
const tickMs = 1 / 8;

/** Turns at one virtual time above which something spins without ever waiting. */
const eventsPerInstantMax = 1_000_000;

/** Events after which others have their turn of the event loop. */
const eventsPerTurn = 4096;

/**
 * Virtual time, and everything that will happen in it. One event at a time, earliest first, ties
 * broken by the seed; every continuation of an event has run before the next one begins. So all
 * that happens follows from the seed.
 */
export class World {
  /** For the world's own choices; ports fork from it by name. */
  readonly random: SeededRandom;
  readonly memory: Memory;
  readonly #ties: SeededRandom;
  readonly #queue = new EventQueue();
  readonly #drain: () => Promise<void>;
  readonly #turns: Turns | undefined;
  readonly #trace: Trace;
  #nowMs = 0;
  #sequence = 0;
  #eventsRun = 0;
  #eventsThisInstant = 0;
  #isAbandoned = false;

  constructor(options: WorldOptions) {
    this.random = new SeededRandom(options.seed);
    this.memory = options.memory ?? new Slab();
    this.#ties = this.random.fork("ties");
    this.#drain = options.drain;
    this.#turns = options.turns;
    this.#trace = new Trace(options.traceLinesMax ?? 200);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get eventsRun(): number {
    return this.#eventsRun;
  }

  /** Lets `run` happen after `delayMs`, never within this call. */
  schedule(delayMs: number, run: () => void): Cancel {
    invariant(delayMs >= 0, "nothing is scheduled in the past");
    return cancelOf(this.#push(this.#nowMs + delayMs, "ready", run));
  }

  /** As {@link schedule}, of what nobody takes back. */
  later(delayMs: number, run: () => void): void {
    invariant(delayMs >= 0, "nothing is scheduled in the past");
    this.#push(this.#nowMs + delayMs, "ready", run);
  }

  /** Lets `run` happen at `timeMs`, or now if that has passed; never within this call. */
  scheduleAt(timeMs: number, run: () => void): Cancel {
    return cancelOf(this.#push(Math.max(this.#nowMs, timeMs), "ready", run));
  }

  /** Lets `run` happen when nothing else is ready at this virtual time. */
  afterTurn(run: () => void): void {
    this.#push(this.#nowMs, "after-turn", run);
  }

  /** Draws a latency; see {@link tickMs} for its steps. */
  latency(range: LatencyRange, random: SeededRandom): number {
    const steps = Math.max(0, Math.floor((range.msMax - range.msMin) / tickMs));
    return range.msMin + random.below(steps + 1) * tickMs;
  }

  /** Runs until nothing is left to happen, or up to the given time. */
  async run(limits: RunLimits = {}): Promise<void> {
    const until = limits.until ?? Number.POSITIVE_INFINITY;
    await this.#runWhile(() => {
      const next = this.#queue.peek();
      return next !== undefined && next.timeMs <= until;
    });
    if (limits.until !== undefined) this.#advanceTo(until);
  }

  /**
   * Runs until `story` settles, and settles alike.
   *
   * @throws InvariantViolation when nothing is left to happen and the story still waits.
   */
  async runUntilSettled<Value>(story: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const note = (): void => {
      isSettled = true;
    };
    story.then(note, note);
    await this.#runWhile(() => {
      if (isSettled) return false;
      invariant(this.#queue.peek() !== undefined, "a story waits for something that will happen");
      return true;
    });
    return story;
  }

  /** Adds a line, with its time, to the trace: of parts, where there are many lines. */
  trace(...parts: readonly TracePart[]): void {
    this.#trace.add(this.#nowMs, parts);
  }

  /** 16 hex digits: equal for runs that did the same. */
  traceHash(): string {
    return this.#trace.hash();
  }

  traceTail(): readonly string[] {
    return this.#trace.tail();
  }

  /** Nothing more happens: whoever lets time pass is told so by an error. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  async #runWhile(goesOn: () => boolean): Promise<void> {
    await this.#drain();
    const turns = this.#turns;
    if (turns === undefined) {
      while (goesOn()) {
        this.#step();
        await this.#drain();
      }
      return;
    }
    let isOver = false;
    while (!isOver) {
      await turns.run(() => {
        for (let events = 0; events < eventsPerTurn && !isOver; events += 1) {
          if (goesOn()) this.#step();
          else isOver = true;
          turns.drain();
        }
      });
    }
  }

  #step(): void {
    if (this.#isAbandoned) throw new Error("this world was abandoned");
    const event = this.#queue.pop();
    invariant(event !== undefined, "a step has an event");
    this.#advanceTo(event.timeMs);
    this.#eventsRun++;
    this.#eventsThisInstant++;
    this.#trace.mix(event.sequence);
    invariant(this.#eventsThisInstant <= eventsPerInstantMax, "virtual time moves on");
    event.run?.();
  }

  #advanceTo(timeMs: number): void {
    if (timeMs <= this.#nowMs) return;
    this.#nowMs = timeMs;
    this.#eventsThisInstant = 0;
  }

  #push(timeMs: number, phase: Event["phase"], run: () => void): Event {
    const event: Event = {
      timeMs,
      phase,
      tie: this.#ties.word() ^ 0x8000_0000,
      sequence: this.#sequence++,
      run,
    };
    this.#queue.push(event);
    return event;
  }
}

function cancelOf(event: Event): Cancel {
  return () => {
    event.run = undefined;
  };
}
