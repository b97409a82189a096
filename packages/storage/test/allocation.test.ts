import { describe, expect, it } from "vitest";
import { StoreWorld } from "./store-world.ts";

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;
const options = {
  segmentBytes: 64 * megabyte,
  queueBytesMax: 64 * megabyte,
  reserveBytes: 0,
} as const;

/** Puts so many records of 64 KiB at once; those that were acknowledged, the rest being refused. */
async function putAtOnce(directory: StoreWorld, records: number): Promise<readonly string[]> {
  const names = Array.from({ length: records }, (_, at) => `key-${at}`);
  const puts = names.map((name) => directory.update(name, 1, 64 * kilobyte));
  const outcomes = await directory.world.runUntilSettled(Promise.all(puts));
  return names.filter((_, at) => outcomes[at]?.ok === true);
}

describe("space ahead of the log", () => {
  it("is made as fast as the disk makes it while appends wait for it", async () => {
    const directory = new StoreWorld(1, options);
    await directory.open();
    const before = directory.world.nowMs;
    expect(await putAtOnce(directory, 300)).toHaveLength(300);
    const withPausesMs = (300 * 64 * 4) / 256;
    expect(directory.world.nowMs - before).toBeLessThan(withPausesMs / 3);
  });

  it("is little again some time after appends had to wait for it", async () => {
    const directory = new StoreWorld(2, options);
    await directory.open();
    await putAtOnce(directory, 200);
    await directory.pass(5000);
    const { bytesAppended } = directory.store.statistics();
    for (let key = 0; key < 300; key += 1) {
      await directory.updated(`later-${key}`, 1, 64 * kilobyte);
      await directory.pass(20);
    }
    const end = bytesAppended + 300 * 65 * kilobyte;
    const lengths = [...directory.disk.image().values()].map(({ length }) => length);
    const allocated = Math.max(...lengths);
    expect(allocated).toBeGreaterThan(end);
    expect(allocated).toBeLessThan(end + 5 * megabyte);
  });

  it("is used up to a small chunk when the disk is full", async () => {
    const capacity = 8 * megabyte;
    const directory = new StoreWorld(3, options, capacity);
    await directory.open();
    const taken = await putAtOnce(directory, 200);
    expect(taken.length).toBeLessThan(200);
    expect(taken.length * 64 * kilobyte).toBeGreaterThan(capacity - 512 * kilobyte);
    expect(directory.fatal).toBeUndefined();
    directory.crash();
    await directory.open();
    for (const name of taken) {
      expect(await directory.read(name)).toMatchObject({ state: "present" });
    }
  });
});
