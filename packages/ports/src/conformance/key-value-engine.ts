import type {
  EngineChange,
  EngineOutcome,
  EngineRow,
  EngineSettle,
  KeyValueEngine,
} from "../key-value-engine.ts";
import { type Guarantee, check, checkSame } from "./guarantee.ts";

export interface EngineSubject {
  /** Empty, and not open. */
  readonly engine: KeyValueEngine;
}

/** Starts one operation; checks that it does not settle within the call, and succeeds. */
async function value<Value>(start: (settle: EngineSettle<Value>) => void): Promise<Value> {
  const outcome = await new Promise<EngineOutcome<Value>>((resolve, reject) => {
    let isWithin = true;
    start((settled) => {
      if (isWithin) reject(new Error("broken: an operation settled within the call"));
      resolve(settled);
    });
    isWithin = false;
  });
  check(outcome.ok, `the operation succeeds: ${outcome.ok ? "" : outcome.message}`);
  return outcome.value;
}

function bytes(...of: readonly number[]): Uint8Array {
  return Uint8Array.of(...of);
}

function put(key: number, of: number): EngineChange {
  return { key: bytes(1, key), value: bytes(of) };
}

function open(engine: KeyValueEngine): Promise<void> {
  return value<void>((settle) => engine.open(settle));
}

function write(engine: KeyValueEngine, changes: readonly EngineChange[]): Promise<void> {
  return value<void>((settle) => engine.write(changes, settle));
}

async function scanned(engine: KeyValueEngine, until: number, limit: number): Promise<string> {
  const range = { from: bytes(1, 2), until: bytes(1, until) };
  const rows = await value<readonly EngineRow[]>((settle) => engine.scan(range, limit, settle));
  return rows.map(({ key, value: held }) => `${key[1]}=${held[0]}`).join(" ");
}

/** What every engine guarantees while nothing fails; the simulated one shows what crashes leave. */
export const engineGuarantees: readonly Guarantee<EngineSubject>[] = [
  {
    name: "has what was written last, and nothing else",
    run: async ({ engine }) => {
      await open(engine);
      await write(engine, [put(1, 10), put(2, 20), put(3, 30)]);
      await write(engine, [put(1, 11), { key: bytes(1, 3), value: undefined }]);
      const one = await value<Uint8Array | undefined>((settle) => engine.get(bytes(1, 1), settle));
      checkSame(one?.[0], 11, "the last value of a key is read");
      const keys = [bytes(1, 3), bytes(1, 2), bytes(1)];
      const many = await value<readonly (Uint8Array | undefined)[]>((settle) =>
        engine.getMany(keys, settle),
      );
      checkSame(
        many.map((each) => each?.[0] ?? 0),
        [0, 20, 0],
        "many are read in the order asked for",
      );
    },
  },
  {
    name: "scans in the order of bytes, as it was when the scan was asked for",
    run: async ({ engine }) => {
      await open(engine);
      await write(engine, [put(200, 1), put(9, 1), put(3, 1), put(1, 1), put(255, 1)]);
      const before = scanned(engine, 255, 9);
      const writing = write(engine, [put(4, 2)]);
      checkSame(await before, "3=1 9=1 200=1", "a scan shows what there was");
      await writing;
      checkSame(await scanned(engine, 255, 2), "3=1 4=2", "a scan ends at its limit");
    },
  },
  {
    name: "keeps what was flushed when it is opened again, and clears what it is told to",
    run: async ({ engine }) => {
      await open(engine);
      await write(engine, [put(1, 1), put(2, 2), put(3, 3), put(4, 4)]);
      await value<void>((settle) => engine.flush(settle));
      const range = { from: bytes(1, 2), until: bytes(1, 4) };
      await value<void>((settle) => engine.clear(range, settle));
      await value<void>((settle) => engine.compact(settle));
      await value<void>((settle) => engine.close(settle));
      await open(engine);
      checkSame(await scanned(engine, 255, 9), "4=4", "what was cleared is gone");
      check((await value<number>((settle) => engine.size(settle))) >= 0, "it has a size");
      await value<void>((settle) => engine.close(settle));
    },
  },
  {
    name: "is whole after a repair of what was not damaged",
    run: async ({ engine }) => {
      await open(engine);
      await write(engine, [put(2, 2), put(3, 3)]);
      await value<void>((settle) => engine.flush(settle));
      await value<void>((settle) => engine.close(settle));
      await value<void>((settle) => engine.repair(settle));
      await open(engine);
      checkSame(await scanned(engine, 255, 9), "2=2 3=3", "nothing is lost");
      await value<void>((settle) => engine.close(settle));
    },
  },
];
