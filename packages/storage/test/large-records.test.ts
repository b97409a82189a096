import { describe, expect, it } from "vitest";
import type { UpdateOutcome } from "../src/index.ts";
import { StoreWorld, placed } from "./store-world.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const options = {
  segmentBytes: 64 * mebibyte,
  queueBytesMax: 64 * mebibyte,
  reserveBytes: 0,
} as const;

/** Puts large records and then a small one, all in one turn; in the order of their answers. */
async function putTogether(
  directory: StoreWorld,
  large: number,
  bytes: number,
): Promise<readonly string[]> {
  const settled: string[] = [];
  const put = async (name: string, length: number): Promise<void> => {
    expect(await directory.update(name, 1, length)).toMatchObject({ ok: true });
    settled.push(name.replace(/-.*/u, ""));
  };
  const puts = Array.from({ length: large }, (_, at) => put(`large-${at}`, bytes));
  puts.push(put("small", 100));
  await directory.world.runUntilSettled(Promise.all(puts));
  return settled;
}

describe("large records", () => {
  it("go a mebibyte at a time, and a small one goes with the first of them", async () => {
    const directory = new StoreWorld(1, options);
    await directory.open();
    await putTogether(directory, 40, 64 * kibibyte);
    const before = directory.store.statistics().groups;
    const settled = await putTogether(directory, 100, 64 * kibibyte);
    expect(settled).toHaveLength(101);
    expect(settled.indexOf("small")).toBeLessThan(mebibyte / (64 * kibibyte));
    const groups = directory.store.statistics().groups - before;
    expect(groups).toBeGreaterThanOrEqual(100 / 16);
    expect(groups).toBeLessThan(12);
  });

  it("go alone where each of them is more than that", async () => {
    const directory = new StoreWorld(2, options);
    await directory.open();
    const before = directory.store.statistics().groups;
    const settled = await putTogether(directory, 6, 3 * mebibyte);
    expect(settled.indexOf("small")).toBeLessThanOrEqual(1);
    expect(directory.store.statistics().groups - before).toBeGreaterThanOrEqual(6);
  });

  it("are read no more than twice before they are written over", async () => {
    const directory = new StoreWorld(3, options);
    await directory.open();
    await putTogether(directory, 64, 256 * kibibyte);
    let reads = 0;
    const read = directory.disk.read.bind(directory.disk);
    Object.assign(directory.disk, {
      read: (...given: Parameters<typeof read>) => {
        reads += 1;
        read(...given);
      },
    });
    await putTogether(directory, 64, 256 * kibibyte);
    expect(reads).toBeGreaterThanOrEqual(64);
    expect(reads).toBeLessThan(2 * 65);
  });

  it("that change nothing let the next ones begin", async () => {
    const directory = new StoreWorld(4, options);
    await directory.open();
    const names = Array.from({ length: 8 }, (_, at) => `held-${at}`);
    for (const name of names) await directory.updated(name, 1, mebibyte);
    // Nothing else happens that those who wait could be told by.
    await directory.pass(10_000);
    const updateInVain = (name: string): Promise<UpdateOutcome> =>
      new Promise((settle) => {
        const apply = (): undefined => undefined;
        const update = { bytes: mebibyte, mayUseReserve: false, apply, settle };
        directory.store.update(placed(name), update);
      });
    const outcomes = names.map(updateInVain);
    const settled = await directory.world.runUntilSettled(Promise.all(outcomes));
    expect(settled).toEqual(outcomes.map(() => ({ ok: true, changed: false })));
  });
});
