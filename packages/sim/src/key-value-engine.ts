import { invariant } from "@coterie/core";
import type {
  EngineChange,
  EngineError,
  EngineOutcome,
  EngineRange,
  EngineRow,
  EngineSettle,
  KeyValueEngine,
} from "@coterie/ports";
import type { SeededRandom } from "./random.ts";
import type { LatencyRange, World } from "./world.ts";

/** An operation of the port, as faults name it. */
export type EngineOperation = Exclude<keyof KeyValueEngine, "name">;

export interface EngineFault {
  readonly operation: EngineOperation;
  readonly error: EngineError;
  /** How often it strikes before it is over. */
  times: number;
}

/** What is on the disk: what was flushed, and what was written since, change by change. */
export interface EngineImage {
  readonly flushed: Map<string, EngineRow>;
  readonly unflushed: (readonly EngineChange[])[];
}

const latency: LatencyRange = { msMin: 0, msMax: 1 };

/**
 * A key-value engine in memory, as one process sees it: what was not flushed may be lost at a power
 * cut, from some write on. After {@link crash} nothing settles any more; {@link reopen} gives the
 * next process's engine over what survived.
 */
export class SimEngine implements KeyValueEngine {
  readonly name: string = "simulated engine";
  readonly faults: EngineFault[] = [];
  readonly #world: World;
  readonly #random: SeededRandom;
  #image: EngineImage;
  #rows: Map<string, EngineRow> = new Map();
  #isOpen = false;
  #isCrashed = false;

  constructor(world: World, image: EngineImage = { flushed: new Map(), unflushed: [] }) {
    this.#world = world;
    this.#random = world.random.fork(`engine/${world.eventsRun}`);
    this.#image = image;
  }

  open(settle: EngineSettle): void {
    this.#submit("open", settle, () => {
      this.#isOpen = true;
      this.#rows = contentOf(this.#image);
    });
  }

  get(key: Uint8Array, settle: EngineSettle<Uint8Array | undefined>): void {
    this.#submit("get", settle, () => this.#rows.get(nameOf(key))?.value.slice());
  }

  getMany(
    keys: readonly Uint8Array[],
    settle: EngineSettle<readonly (Uint8Array | undefined)[]>,
  ): void {
    this.#submit("getMany", settle, () =>
      keys.map((key) => this.#rows.get(nameOf(key))?.value.slice()),
    );
  }

  scan(range: EngineRange, limit: number, settle: EngineSettle<readonly EngineRow[]>): void {
    // As it is now, not as it will be.
    const names = this.#namesIn(range).slice(0, limit);
    const rows = names.map((name) => this.#rows.get(name) as EngineRow);
    this.#submit("scan", settle, () =>
      rows.map(({ key, value }) => ({ key: key.slice(), value: value.slice() })),
    );
  }

  write(changes: Iterable<EngineChange>, settle: EngineSettle): void {
    const all = [...changes].map(({ key, value }) => ({
      key: key.slice(),
      value: value?.slice(),
    }));
    this.#submit("write", settle, () => this.#change(all));
  }

  clear(range: EngineRange, settle: EngineSettle): void {
    this.#submit("clear", settle, () => {
      for (const name of this.#namesIn(range)) {
        const row = this.#rows.get(name);
        if (row !== undefined) this.#change([{ key: row.key, value: undefined }]);
      }
    });
  }

  flush(settle: EngineSettle): void {
    this.#submit("flush", settle, () => {
      this.#image = { flushed: new Map(this.#rows), unflushed: [] };
    });
  }

  compact(settle: EngineSettle): void {
    this.#submit("compact", settle, () => undefined);
  }

  size(settle: EngineSettle<number>): void {
    this.#submit("size", settle, () => {
      let bytes = 0;
      for (const { key, value } of this.#rows.values()) bytes += key.length + value.length;
      return bytes;
    });
  }

  repair(settle: EngineSettle): void {
    this.#submit("repair", settle, () => undefined);
  }

  close(settle: EngineSettle): void {
    this.#submit("close", settle, () => {
      this.#isOpen = false;
    });
  }

  /** Ends the process that uses it; a power cut loses what was last written and not flushed. */
  crash(kind: "power" | "kill"): void {
    this.#isCrashed = true;
    if (kind === "kill") return;
    const { unflushed } = this.#image;
    unflushed.length = this.#random.below(unflushed.length + 1);
  }

  /** Takes what was not flushed off the disk: as a power cut may. */
  forgetUnflushed(): void {
    this.#image.unflushed.length = 0;
  }

  /** The next process's. */
  reopen(): SimEngine {
    return new SimEngine(this.#world, this.#image);
  }

  /** Changes what is on the disk, behind the back of whoever has it open. */
  edit(change: (row: EngineRow) => EngineRow | undefined): void {
    for (const [name, row] of contentOf(this.#image)) {
      const changed = change(row);
      for (const rows of [this.#image.flushed, this.#rows]) {
        if (changed === undefined) rows.delete(name);
        else if (rows.has(name)) rows.set(name, changed);
      }
    }
  }

  #change(changes: readonly EngineChange[]): void {
    this.#image.unflushed.push(changes);
    apply(this.#rows, changes);
  }

  #namesIn({ from, until }: EngineRange): readonly string[] {
    const [first, end] = [nameOf(from), nameOf(until)];
    return [...this.#rows.keys()].filter((name) => name >= first && name < end).toSorted();
  }

  #submit<Value>(operation: EngineOperation, settle: EngineSettle<Value>, run: () => Value): void {
    if (this.#isCrashed) return;
    this.#world.later(this.#world.latency(latency, this.#random), () => {
      if (this.#isCrashed) return;
      const fault = this.faults.find((each) => each.operation === operation && each.times > 0);
      if (fault !== undefined) fault.times -= 1;
      this.#world.trace("engine ", operation, fault === undefined ? "" : ` ${fault.error}`);
      settle(fault === undefined ? { ok: true, value: run() } : failure(fault.error, operation));
    });
    const isAllowed = this.#isOpen || ["open", "repair", "close"].includes(operation);
    invariant(isAllowed, "an engine is used while it is open");
  }
}

function failure(error: EngineError, operation: string): EngineOutcome<never> {
  return { ok: false, error, message: `injected: ${operation}` };
}

function contentOf({ flushed, unflushed }: EngineImage): Map<string, EngineRow> {
  const rows = new Map(flushed);
  for (const changes of unflushed) apply(rows, changes);
  return rows;
}

function apply(rows: Map<string, EngineRow>, changes: readonly EngineChange[]): void {
  for (const { key, value } of changes) {
    if (value === undefined) rows.delete(nameOf(key));
    else rows.set(nameOf(key), { key, value });
  }
}

/** Names sort as keys do. */
function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key);
}
