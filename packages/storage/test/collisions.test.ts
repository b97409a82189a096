import { type Token, partitionOf, recordDigest, withClass } from "@coterie/core";
import { describe, expect, it } from "vitest";
import type { PlacedKey, StoredRecord, UpdateOutcome } from "../src/index.ts";
import { recover } from "../src/recovery/recover.ts";
import { StoreWorld, classOf, placed, version } from "./store-world.ts";

// Keys whose tokens collide take 2^32 hashes to find; here every key is given the same token.
const token: Token = { high: 0x1234_5678, low: 9 };
const partitions = 4;
const partition = partitionOf(token, partitions);

function put(directory: StoreWorld, name: string, counter: number): Promise<UpdateOutcome> {
  const key: PlacedKey = { ...placed(name), token, partition };
  return directory.world.runUntilSettled(
    new Promise((settle) => {
      const apply = (): StoredRecord => version(name, counter);
      directory.store.update(key, { bytes: 100, mayUseReserve: false, apply, settle });
    }),
  );
}

/** Digests of the records that a start would find. */
async function recoveredDigests(directory: StoreWorld): Promise<readonly string[]> {
  const recovering = recover(directory.disk, { partitions, classOf, tokenOf: () => token });
  const recovered = await directory.world.runUntilSettled(recovering);
  if (!recovered.ok) throw new Error(recovered.message);
  expect(recovered.damage.tokens()).toEqual([]);
  const found = recovered.index.find(partition, token);
  return found.map(({ digest }) => `${digest.high}:${digest.low}`).toSorted();
}

function digestsOf(versions: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(versions)
    .map(([name, counter]) => withClass(recordDigest(version(name, counter).bytes), 3))
    .map(({ high, low }) => `${high}:${low}`)
    .toSorted();
}

describe.each([true, false])("keys with one token (checkpoint: %s)", (hasCheckpoint) => {
  it.each([
    [
      "one after the other",
      [
        ["a", 1],
        ["b", 2],
        ["a", 3],
        ["c", 4],
      ],
    ],
    [
      "the first only before",
      [
        ["b", 2],
        ["c", 4],
        ["b", 5],
      ],
    ],
    [
      "each twice",
      [
        ["a", 1],
        ["b", 2],
        ["c", 3],
        ["a", 4],
        ["b", 5],
        ["c", 6],
      ],
    ],
    [
      "the first last",
      [
        ["b", 2],
        ["c", 3],
        ["a", 7],
      ],
    ],
  ] as const)("all come back: %s", async (_, puts) => {
    const directory = new StoreWorld(1);
    await directory.open();
    const expected: Record<string, number> = { a: 10 };
    await put(directory, "a", 10);
    if (hasCheckpoint) await directory.restart();
    for (const [name, counter] of puts) {
      await put(directory, name, counter);
      expected[name] = counter;
    }
    directory.crash("power");
    expect(await recoveredDigests(directory)).toEqual(digestsOf(expected));
    expect(await recoveredDigests(directory)).toEqual(digestsOf(expected));
  });

  it("stay apart when compaction has moved them", async () => {
    const directory = new StoreWorld(2);
    await directory.open();
    for (let counter = 1; counter <= 5; counter += 1) {
      for (const name of ["a", "b", "c"]) await put(directory, name, counter * 1000);
      for (const name of ["x", "y"]) await directory.updated(name, counter, 9000);
    }
    await directory.restart();
    await directory.world.runUntilSettled(directory.store.compact());
    await put(directory, "b", 9000);
    if (hasCheckpoint) await directory.stop();
    directory.crashAndEdit((files) => {
      if (hasCheckpoint) return;
      for (const name of files.keys()) if (name.startsWith("checkpoint-")) files.delete(name);
    }, "kill");
    const digests = await recoveredDigests(directory);
    expect(digests).toEqual(expect.arrayContaining([...digestsOf({ a: 5000, b: 9000, c: 5000 })]));
  });
});
