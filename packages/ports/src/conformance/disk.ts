import type { Disk, DiskError, DiskOutcome, File, Settle } from "../disk.ts";
import { type Guarantee, check, checkSame } from "./guarantee.ts";

export interface DiskSubject {
  /** An empty directory. */
  readonly disk: Disk;
  /** The same directory, opened once more, as another process would. */
  readonly other: Disk;
  /** What a refusal of the lock must name: the holder behind {@link disk}. */
  readonly holderName: string;
}

/** Starts one operation; checks that it does not settle within the call. */
function run<Value>(start: (settle: Settle<Value>) => void): Promise<DiskOutcome<Value>> {
  return new Promise((resolve, reject) => {
    let isWithin = true;
    start((outcome) => {
      if (isWithin) reject(new Error("broken: an operation settled within the call"));
      resolve(outcome);
    });
    isWithin = false;
  });
}

/** The value of an operation that succeeds. */
async function value<Value>(start: (settle: Settle<Value>) => void): Promise<Value> {
  const outcome = await run(start);
  check(outcome.ok, `the operation succeeds: ${outcome.ok ? "" : outcome.message}`);
  return outcome.value;
}

/** The error of an operation that fails. */
async function error<Value>(start: (settle: Settle<Value>) => void): Promise<DiskError> {
  const outcome = await run(start);
  check(!outcome.ok, "the operation fails");
  return outcome.error;
}

function create(disk: Disk, name: string): Promise<File> {
  return value<File>((settle) => disk.open(name, "create", settle));
}

function write(disk: Disk, file: File, position: number, bytes: Uint8Array): Promise<void> {
  return value<void>((settle) => disk.write(file, position, bytes, settle));
}

function read(disk: Disk, file: File, position: number, length: number): Promise<Uint8Array> {
  return value<Uint8Array>((settle) => disk.read(file, position, length, settle));
}

function size(disk: Disk, file: File): Promise<number> {
  return value<number>((settle) => disk.size(file, settle));
}

function list(disk: Disk): Promise<readonly string[]> {
  return value<readonly string[]>((settle) => disk.list(settle));
}

function close(disk: Disk, file: File): Promise<void> {
  return value<void>((settle) => disk.close(file, settle));
}

/** Bytes that differ along the way, for `seed`. */
function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) * 7 + seed) & 255);
}

function checkBytes(actual: Uint8Array, expected: Uint8Array, fact: string): void {
  checkSame(actual.length, expected.length, `${fact}: the length`);
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  check(at === -1, `${fact}: differs at ${at}`);
}

const content: readonly Guarantee<DiskSubject>[] = [
  {
    name: "a new file is empty, and reads back what is written",
    async run({ disk }) {
      const file = await create(disk, "file");
      checkSame([file.name, await size(disk, file)], ["file", 0], "name and size");
      checkSame((await read(disk, file, 0, 100)).length, 0, "bytes in an empty file");
      await write(disk, file, 0, pattern(1000, 1));
      await write(disk, file, 1000, pattern(70_000, 2));
      checkSame(await size(disk, file), 71_000, "the size");
      checkBytes(await read(disk, file, 0, 1000), pattern(1000, 1), "the first write");
      checkBytes(await read(disk, file, 1000, 70_000), pattern(70_000, 2), "the second write");
      await close(disk, file);
    },
  },
  {
    name: "a write inside a file replaces just its bytes",
    async run({ disk }) {
      const file = await create(disk, "file");
      const expected = pattern(10_000, 1);
      await write(disk, file, 0, expected);
      for (const [position, length] of [
        [0, 1],
        [511, 2],
        [4095, 4098],
        [9999, 1],
      ] as const) {
        expected.set(pattern(length, position), position);
        await write(disk, file, position, pattern(length, position));
      }
      checkBytes(await read(disk, file, 0, 10_000), expected, "the file");
      await close(disk, file);
    },
  },
  {
    name: "a read is short only at the end of the file",
    async run({ disk }) {
      const file = await create(disk, "file");
      await write(disk, file, 0, pattern(300_000, 1));
      checkSame((await read(disk, file, 0, 300_000)).length, 300_000, "a whole read");
      checkSame((await read(disk, file, 0, 300_001)).length, 300_000, "a read beyond the end");
      checkSame((await read(disk, file, 299_990, 100)).length, 10, "a read across the end");
      checkSame((await read(disk, file, 300_000, 1)).length, 0, "a read at the end");
      checkSame((await read(disk, file, 400_000, 1)).length, 0, "a read after the end");
      checkSame((await read(disk, file, 5, 0)).length, 0, "a read of nothing");
      await close(disk, file);
    },
  },
  {
    name: "a write after the end leaves zeros between",
    async run({ disk }) {
      const file = await create(disk, "file");
      await write(disk, file, 0, pattern(10, 1));
      await write(disk, file, 5000, pattern(10, 2));
      checkSame(await size(disk, file), 5010, "the size");
      checkBytes(await read(disk, file, 10, 4990), new Uint8Array(4990), "the gap");
      await write(disk, file, 6000, new Uint8Array(0));
      checkSame(await size(disk, file), 5010, "the size after writing nothing");
      await close(disk, file);
    },
  },
  {
    name: "truncate cuts a file, or lengthens it by zeros",
    async run({ disk }) {
      const file = await create(disk, "file");
      await write(disk, file, 0, pattern(100, 1));
      await value<void>((settle) => disk.truncate(file, 40, settle));
      checkSame(await size(disk, file), 40, "the size when cut");
      await value<void>((settle) => disk.truncate(file, 9000, settle));
      checkSame(await size(disk, file), 9000, "the size when lengthened");
      checkBytes(await read(disk, file, 0, 40), pattern(100, 1).subarray(0, 40), "what was kept");
      checkBytes(await read(disk, file, 40, 8960), new Uint8Array(8960), "what was added");
      await close(disk, file);
    },
  },
  {
    name: "concurrent operations on one file and on many all settle",
    async run({ disk }) {
      const files = await Promise.all(
        Array.from({ length: 8 }, (_, at) => create(disk, `file-${at}`)),
      );
      await Promise.all(
        files.flatMap((file, seed) =>
          [0, 1, 2, 3].map((part) => write(disk, file, part * 999, pattern(999, seed + part))),
        ),
      );
      await Promise.all(files.map((file) => value<void>((settle) => disk.sync(file, settle))));
      for (const [seed, file] of files.entries()) {
        for (const part of [0, 1, 2, 3]) {
          const bytes = await read(disk, file, part * 999, 999);
          checkBytes(bytes, pattern(999, seed + part), `part ${part} of ${file.name}`);
        }
        await close(disk, file);
      }
    },
  },
  {
    name: "every operation settles once",
    async run({ disk }) {
      const file = await create(disk, "file");
      const counts = new Map<string, number>();
      const count = (name: string) => (): void => {
        counts.set(name, (counts.get(name) ?? 0) + 1);
      };
      disk.lock(count("lock"));
      disk.list(count("list"));
      disk.open("other", "create", count("open"));
      disk.open("absent", "existing", count("open what is missing"));
      disk.size(file, count("size"));
      disk.read(file, 0, 10, count("read"));
      disk.write(file, 0, pattern(10, 1), count("write"));
      disk.sync(file, count("sync"));
      disk.truncate(file, 5, count("truncate"));
      disk.rename("absent", "file", count("rename what is missing"));
      disk.remove("absent", count("remove what is missing"));
      disk.syncDirectory(count("syncDirectory"));
      disk.free(count("free"));
      // Until all have settled, and then as long again, by the measure of the same disk. A sync on
      // a busy disk takes as long as very many of the others.
      let rounds = 0;
      for (; counts.size < 13 && rounds < 400_000; rounds++) await size(disk, file);
      for (let round = 0; round < rounds + 20; round++) await size(disk, file);
      for (const [name, settles] of counts) checkSame(settles, 1, `settles of ${name}`);
      checkSame(counts.size, 13, "operations that settled");
      await value<void>((settle) => disk.unlock(settle));
      await close(disk, file);
    },
  },
  {
    name: "what a read returned stays as it is when the file changes",
    async run({ disk }) {
      const file = await create(disk, "file");
      const bytes = pattern(100, 1);
      await write(disk, file, 0, bytes);
      bytes.fill(0);
      const before = await read(disk, file, 0, 100);
      await write(disk, file, 0, pattern(100, 2));
      checkBytes(before, pattern(100, 1), "what was read before the write");
      // A slice of some byte arrays is a view: whoever keeps a part would keep the whole alive.
      const slice = before.slice(0, 10);
      before.fill(0);
      checkBytes(slice, pattern(100, 1).subarray(0, 10), "a slice of what was read");
      await close(disk, file);
    },
  },
];

const names: readonly Guarantee<DiskSubject>[] = [
  {
    name: "create fails when the file exists, and leaves it alone",
    async run({ disk }) {
      const file = await create(disk, "file");
      await write(disk, file, 0, pattern(10, 1));
      await error<File>((settle) => disk.open("file", "create", settle));
      checkBytes(await read(disk, file, 0, 10), pattern(10, 1), "the file");
      await close(disk, file);
    },
  },
  {
    name: "what does not exist is missing",
    async run({ disk }) {
      const open = error<File>((settle) => disk.open("absent", "existing", settle));
      checkSame(await open, "missing", "open");
      checkSame(await error<void>((settle) => disk.remove("absent", settle)), "missing", "remove");
      const rename = error<void>((settle) => disk.rename("absent", "file", settle));
      checkSame(await rename, "missing", "rename");
      checkSame(await list(disk), [], "the names");
    },
  },
  {
    name: "a closed file opens again with its content",
    async run({ disk }) {
      const file = await create(disk, "file");
      await write(disk, file, 0, pattern(100, 1));
      await value<void>((settle) => disk.sync(file, settle));
      await value<void>((settle) => disk.syncDirectory(settle));
      await close(disk, file);
      const again = await value<File>((settle) => disk.open("file", "existing", settle));
      checkBytes(await read(disk, again, 0, 200), pattern(100, 1), "the content");
      await write(disk, again, 100, pattern(1, 1));
      checkSame(await size(disk, again), 101, "the size");
      await close(disk, again);
    },
  },
  {
    name: "list returns every name in byte order",
    async run({ disk }) {
      checkSame(await list(disk), [], "the names at first");
      const created = ["b", "a.log", "a-10", "a_2", "z", "a", "0", "00", "log-9", "log-10"];
      for (const name of created) await close(disk, await create(disk, name));
      const expected = ["0", "00", "a", "a-10", "a.log", "a_2", "b", "log-10", "log-9", "z"];
      checkSame(await list(disk), expected, "the names");
    },
  },
  {
    name: "rename moves a file, and replaces what has that name",
    async run({ disk }) {
      for (const [seed, name] of ["one", "two"].entries()) {
        const file = await create(disk, name);
        await write(disk, file, 0, pattern(10, seed));
        await close(disk, file);
      }
      await value<void>((settle) => disk.rename("one", "two", settle));
      checkSame(await list(disk), ["two"], "the names");
      const file = await value<File>((settle) => disk.open("two", "existing", settle));
      checkBytes(await read(disk, file, 0, 10), pattern(10, 0), "the content");
      await value<void>((settle) => disk.rename("two", "three", settle));
      checkSame(await list(disk), ["three"], "the names");
      checkBytes(await read(disk, file, 0, 10), pattern(10, 0), "the content when open");
      await close(disk, file);
    },
  },
  {
    name: "remove takes the name at once; an open file can still be read",
    async run({ disk }) {
      const file = await create(disk, "file");
      await write(disk, file, 0, pattern(10, 1));
      await value<void>((settle) => disk.remove("file", settle));
      checkSame(await list(disk), [], "the names");
      checkBytes(await read(disk, file, 0, 10), pattern(10, 1), "the content");
      await close(disk, file);
      const again = await create(disk, "file");
      checkSame(await size(disk, again), 0, "the size of a new file of that name");
      await close(disk, again);
    },
  },
  {
    name: "free is a number of bytes",
    async run({ disk }) {
      const free = await value<number>((settle) => disk.free(settle));
      check(Number.isSafeInteger(free) && free > 0, `${free} is a number of bytes`);
    },
  },
];

const locking: readonly Guarantee<DiskSubject>[] = [
  {
    name: "a second holder is refused, and told who holds the lock",
    async run({ disk, other, holderName }) {
      await value<void>((settle) => disk.lock(settle));
      const refused = await run<void>((settle) => other.lock(settle));
      check(!refused.ok && refused.error === "locked", "the second lock is refused");
      check(refused.message.includes(holderName), `"${refused.message}" names ${holderName}`);
      await value<void>((settle) => disk.unlock(settle));
    },
  },
  {
    name: "what another holds cannot be unlocked; once released anyone may take it",
    async run({ disk, other }) {
      await value<void>((settle) => disk.lock(settle));
      await value<void>((settle) => other.unlock(settle));
      checkSame(await error<void>((settle) => other.lock(settle)), "locked", "the second lock");
      await value<void>((settle) => disk.unlock(settle));
      await value<void>((settle) => other.lock(settle));
      checkSame(await error<void>((settle) => disk.lock(settle)), "locked", "the first, again");
      await value<void>((settle) => other.unlock(settle));
    },
  },
  {
    name: "of many that lock at once exactly one succeeds",
    async run({ disk, other }) {
      for (let round = 0; round < 5; round++) {
        const outcomes = await Promise.all(
          [disk, other, disk, other, disk, other].map((each) =>
            run<void>((settle) => each.lock(settle)),
          ),
        );
        checkSame(outcomes.filter((outcome) => outcome.ok).length, 1, "holders");
        await value<void>((settle) => disk.unlock(settle));
        await value<void>((settle) => other.unlock(settle));
      }
    },
  },
  {
    name: "the lock is no file of the directory",
    async run({ disk }) {
      await value<void>((settle) => disk.lock(settle));
      checkSame(await list(disk), [], "the names while locked");
      await value<void>((settle) => disk.unlock(settle));
      checkSame(await list(disk), [], "the names afterwards");
    },
  },
];

/** What every Disk guarantees while nothing fails; only the simulator shows what a crash leaves. */
export const diskGuarantees: readonly Guarantee<DiskSubject>[] = [...content, ...names, ...locking];
