import { performance } from "node:perf_hooks";
import { partitionOf, tokenOf } from "@coterie/core";
import type { Asked } from "./doors.ts";
import type { Outcome } from "./outcomes.ts";

const usualKeysPerGroup = 200;
/** Puts under way while keys are filled, unless it is said. */
const fillInFlight = 32;
/** How often a put is tried that fills. */
const fillTries = 3;
/** How often it is looked whether operations are due. */
const tickMs = 1;

export interface OpenLoadInput {
  /** By node; which of them are asked is said by {@link OpenLoad.ask}. */
  readonly drivers: ReadonlyMap<string, Asked>;
  readonly operationsPerSecond: number;
  readonly groups: readonly (readonly string[])[];
  readonly value: Buffer;
  /** By key: what an earlier load knew of them last, which this one goes on with. */
  readonly contexts?: Map<string, string>;
}

/**
 * Puts and gets at a steady rate, whatever becomes of those before, by turns for the nodes asked
 * and the groups of keys. A put replaces what was put or read last.
 */
export class OpenLoad {
  readonly #input: OpenLoadInput;
  readonly #contexts: Map<string, string>;
  readonly #busy = new Set<string>();
  /** When those under way were due, in the order of their beginning. */
  readonly #pending = new Set<{ readonly dueMs: number }>();
  #outcomes: Outcome[] = [];
  #asked: readonly Asked[] = [];
  #timer: NodeJS.Timeout | undefined;
  #startMs = 0;
  #begun = 0;
  #lastTickMs = 0;
  #stallMs = 0;

  constructor(input: OpenLoadInput) {
    this.#input = input;
    this.#contexts = input.contexts ?? new Map<string, string>();
  }

  /** Of those under way, when the first to begin was due; undefined if none is. */
  get oldestDueMs(): number | undefined {
    const [oldest] = this.#pending;
    return oldest?.dueMs;
  }

  /** Writes every key once, some at a time; what fails is tried again: nothing is measured yet. */
  async fill(inFlight: number = fillInFlight): Promise<void> {
    const keys = this.#input.groups.flat().values();
    const write = (key: string): Promise<string | undefined> =>
      new Promise((resolve) => this.#put(this.#asked[0] as Asked, key, resolve));
    const worker = async (): Promise<void> => {
      for (const key of keys) {
        let error = await write(key);
        for (let tries = 1; error !== undefined && tries < fillTries; tries += 1) {
          error = await write(key);
        }
        if (error !== undefined) throw new Error(`cannot fill: ${error}`);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
  }

  /** From now on these nodes are asked and no others. */
  ask(ids: readonly string[]): void {
    this.#asked = ids.map((id) => this.#input.drivers.get(id) as Asked);
  }

  /** A closed loop of the same operations; how many succeeded per second. */
  async closed(inFlight: number, seconds: number): Promise<number> {
    const endMs = performance.now() + seconds * 1000;
    let done = 0;
    const lane = async (): Promise<void> => {
      while (performance.now() < endMs) {
        const number = this.#begun;
        this.#begun += 1;
        const outcome = await new Promise<Outcome>((resolve) => {
          this.#begin(number, performance.now(), resolve);
        });
        if (outcome.error === undefined && outcome.endedMs <= endMs) done += 1;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return done / seconds;
  }

  /** Begins operations at the rate, from now on. */
  start(): void {
    this.#begun = 0;
    this.#startMs = performance.now();
    this.#lastTickMs = this.#startMs;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Resolves when all has ended that was begun, or nothing more can be hoped for. */
  async stop(patienceMs: number): Promise<void> {
    clearInterval(this.#timer);
    const endMs = performance.now() + patienceMs;
    while (this.#pending.size > 0 && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** What ended since the last time, and for how long this process itself stood still at most. */
  take(): { readonly outcomes: readonly Outcome[]; readonly stallMs: number } {
    const taken = { outcomes: this.#outcomes, stallMs: this.#stallMs };
    this.#outcomes = [];
    this.#stallMs = 0;
    return taken;
  }

  #tick(): void {
    const now = performance.now();
    this.#stallMs = Math.max(this.#stallMs, now - this.#lastTickMs - tickMs);
    this.#lastTickMs = now;
    const everyMs = 1000 / this.#input.operationsPerSecond;
    for (; this.#startMs + this.#begun * everyMs <= now; this.#begun += 1) {
      this.#begin(this.#begun, this.#startMs + this.#begun * everyMs, (outcome) => {
        this.#outcomes.push(outcome);
      });
    }
  }

  /** The n-th operation: each group is put to and got from by turns, at each node. */
  #begin(number: number, dueMs: number, onEnd: (outcome: Outcome) => void): void {
    const { groups } = this.#input;
    const kind = number % 2 === 0 ? "put" : "get";
    const turn = Math.floor(number / 2);
    const group = turn % groups.length;
    const round = Math.floor(turn / groups.length);
    const driver = this.#asked[(round + turn) % this.#asked.length] as Asked;
    const key = this.#keyFor(group, round, kind);
    const pending = { dueMs };
    this.#pending.add(pending);
    const end = (error: string | undefined): void => {
      this.#pending.delete(pending);
      onEnd({ kind, group, dueMs, endedMs: performance.now(), error });
    };
    if (kind === "put") this.#put(driver, key, end);
    else {
      driver.get(key, ({ error, context }) => {
        const isUnknown = !this.#contexts.has(key) && !this.#busy.has(key);
        if (context !== undefined && isUnknown) this.#contexts.set(key, context);
        end(error);
      });
    }
  }

  /** Of the group's keys by turns; not one that is being written, lest siblings pile up. */
  #keyFor(group: number, round: number, kind: Outcome["kind"]): string {
    const keys = this.#input.groups[group] as readonly string[];
    const key = keys[round % keys.length] as string;
    if (kind === "get" || !this.#busy.has(key)) return key;
    return keys.find((other) => !this.#busy.has(other)) ?? key;
  }

  #put(driver: Asked, key: string, end: (error: string | undefined) => void): void {
    this.#busy.add(key);
    driver.put(key, this.#input.value, this.#contexts.get(key), ({ error, context }) => {
      this.#busy.delete(key);
      if (context !== undefined) this.#contexts.set(key, context);
      else if (error === undefined) this.#contexts.delete(key);
      end(error);
    });
  }
}

/** Keys of so many partitions, spread over the ring; a group for each of them. */
export function keyGroups(
  bucket: string,
  partitions: number,
  count: number,
  keysPerGroup: number = usualKeysPerGroup,
): readonly (readonly string[])[] {
  const groups = Array.from({ length: count }, (): string[] => []);
  const space = { hash: "md5", partitions } as const;
  for (let number = 0; groups.some((group) => group.length < keysPerGroup); number += 1) {
    const text = `failover-${number}`;
    const token = tokenOf({ bucket, key: Buffer.from(text) }, space);
    const partition = partitionOf(token, partitions);
    const group = groups[Math.floor((partition * count) / partitions)];
    const isChosen = (partition * count) % partitions < count;
    if (isChosen && group !== undefined && group.length < keysPerGroup) group.push(text);
  }
  return groups;
}
