import type {
  EngineChange,
  EngineError,
  EngineFailure,
  EngineOutcome,
  EngineRange,
  EngineRow,
  EngineSettle,
  KeyValueEngine,
} from "@coterie/ports";
import type { ClassicLevel } from "classic-level";

type Level = ClassicLevel<Uint8Array, Uint8Array>;
type LevelClass = typeof ClassicLevel<Uint8Array, Uint8Array>;

/** What to do when the package is not there: most nodes do not need it. */
const installHint =
  "engine leveldb needs a package that is not installed: npm install classic-level@3.0.0";

/** Memory for blocks that were read, and for what was written and is not yet in a table. */
const blockCacheBytes = 32 * 1024 * 1024;
const writeBufferBytes = 16 * 1024 * 1024;
/** Bytes of a table: 500 open ones have some 100 MB of indexes and filters at the most. */
const tableBytes = 16 * 1024 * 1024;
const openTablesMax = 500;
/** Changes handed over before others get a turn. */
const changesPerTurn = 512;
/** No key is so low, nor so high: rows are of kinds 1 to 4. */
const flushedKey = Uint8Array.of(0);
const beyondAll = Uint8Array.of(0xfe);

export type LevelPackage =
  | { readonly ok: true; readonly level: LevelClass }
  | { readonly ok: false; readonly message: string };

/** Loads the binding, which is an optional package. */
export async function loadLevel(): Promise<LevelPackage> {
  try {
    const { ClassicLevel: level } = await import("classic-level");
    return { ok: true, level };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
    return { ok: false, message: isMissing ? installHint : `classic-level: ${message}` };
  }
}

/**
 * LevelDB in a directory of its own. LevelDB refuses every write after one that failed, until it is
 * opened again: so it is, after a full disk, while whoever asks meanwhile waits.
 */
export class LevelEngine implements KeyValueEngine {
  readonly name: string = "leveldb";
  readonly #location: string;
  readonly #class: LevelClass;
  #level: Level;
  /** Operations under way. */
  #running = 0;
  #whenIdle: (() => void) | undefined;
  /** Until it is open again. */
  #reopening: Promise<void> | undefined;

  constructor(location: string, level: LevelClass) {
    this.#location = location;
    this.#class = level;
    this.#level = this.#make();
  }

  open(settle: EngineSettle): void {
    this.#run(settle, (level) => level.open());
  }

  get(key: Uint8Array, settle: EngineSettle<Uint8Array | undefined>): void {
    this.#run(settle, (level) => level.get(key));
  }

  getMany(
    keys: readonly Uint8Array[],
    settle: EngineSettle<readonly (Uint8Array | undefined)[]>,
  ): void {
    this.#run(settle, (level) => level.getMany([...keys]));
  }

  scan(
    { from, until }: EngineRange,
    limit: number,
    settle: EngineSettle<readonly EngineRow[]>,
  ): void {
    this.#run(settle, async (level) => {
      // It shows what there is now: made in the call.
      const iterator = level.iterator({ gte: from, lt: until });
      try {
        const rows: EngineRow[] = [];
        while (rows.length < limit) {
          const entries = await iterator.nextv(limit - rows.length);
          if (entries.length === 0) return rows;
          for (const [key, value] of entries) rows.push({ key, value });
        }
        await requireSound(level, iterator, { from, rows, until });
        return rows;
      } finally {
        await iterator.close();
      }
    });
  }

  write(changes: Iterable<EngineChange>, settle: EngineSettle): void {
    this.#run(settle, async (level) => {
      const batch = level.batch();
      let count = 0;
      for (const { key, value } of changes) {
        if (value === undefined) batch.del(key);
        else batch.put(key, value);
        count += 1;
        if (count % changesPerTurn === 0) await new Promise(setImmediate);
      }
      await batch.write({ sync: false });
    });
  }

  clear({ from, until }: EngineRange, settle: EngineSettle): void {
    this.#run(settle, (level) => level.clear({ gte: from, lt: until }));
  }

  /**
   * LevelDB has no such call, and its log is not enough: what was written to an older one is not
   * synced with a newer one. But to compact a range with nothing in it moves all that was written
   * into a table, which is synced. It does not say whether it could: a write after it does.
   */
  flush(settle: EngineSettle): void {
    this.#run(settle, async (level) => {
      await level.compactRange(beyondAll, beyondAll);
      await level.put(flushedKey, flushedKey, { sync: true });
    });
  }

  compact(settle: EngineSettle): void {
    this.#run(settle, (level) => level.compactRange(flushedKey, beyondAll));
  }

  size(settle: EngineSettle<number>): void {
    this.#run(settle, (level) => level.approximateSize(flushedKey, beyondAll));
  }

  repair(settle: EngineSettle): void {
    this.#run(settle, async () => {
      await this.#class.repair(this.#location);
      this.#level = this.#make();
    });
  }

  close(settle: EngineSettle): void {
    this.#run(settle, (level) => level.close());
  }

  #make(): Level {
    return new this.#class(this.#location, {
      keyEncoding: "view",
      valueEncoding: "view",
      cacheSize: blockCacheBytes,
      writeBufferSize: writeBufferBytes,
      maxFileSize: tableBytes,
      maxOpenFiles: openTablesMax,
    });
  }

  #run<Value>(settle: EngineSettle<Value>, work: (level: Level) => Promise<Value>): void {
    const waiting = this.#reopening;
    if (waiting === undefined) void this.#attempt(work).then(settle);
    else void waiting.then(() => this.#run(settle, work));
  }

  async #attempt<Value>(work: (level: Level) => Promise<Value>): Promise<EngineOutcome<Value>> {
    this.#running += 1;
    let outcome: EngineOutcome<Value>;
    try {
      outcome = { ok: true, value: await work(this.#level) };
    } catch (error) {
      outcome = failureOf(error);
    }
    this.#running -= 1;
    if (this.#running === 0) this.#whenIdle?.();
    if (!outcome.ok && outcome.error === "full") this.#reopening ??= this.#reopen();
    return outcome;
  }

  async #reopen(): Promise<void> {
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
      this.#whenIdle = undefined;
    }
    try {
      await this.#level.close();
      this.#level = this.#make();
      await this.#level.open();
    } catch {
      // What is asked of it next says why it cannot be opened.
    }
    this.#reopening = undefined;
  }
}

/**
 * Fails if an iterator that was not read to its end has left rows out. It goes on behind a damaged
 * block, and tells of that only who comes to an end: of all there is here, and if there is damage
 * anywhere on the way, of the rows alone.
 */
async function requireSound(
  level: Level,
  iterator: ReturnType<Level["iterator"]>,
  { from, rows, until }: EngineRange & { readonly rows: readonly EngineRow[] },
): Promise<void> {
  try {
    iterator.seek(until);
    await iterator.nextv(1);
  } catch {
    await level.iterator({ gte: from, lte: rows.at(-1)?.key ?? from }).all();
  }
}

function failureOf(thrown: unknown): EngineFailure {
  const messages: string[] = [];
  const codes: unknown[] = [];
  for (let error = thrown; error instanceof Error; error = error.cause) {
    messages.push(error.message);
    codes.push((error as NodeJS.ErrnoException).code);
  }
  const message = messages.join(": ");
  return { ok: false, error: kindOf(message, codes), message };
}

function kindOf(message: string, codes: readonly unknown[]): EngineError {
  if (message.includes("No space left") || message.includes("quota exceeded")) return "full";
  return codes.includes("LEVEL_CORRUPTION") ? "corrupt" : "io";
}
