import { expect, it } from "vitest";
import { StoreWorld, placed, versionOf } from "./store-world.ts";

const names = Array.from({ length: 30 }, (_, key) => `key-${key}.`);

async function sealed(seed: number): Promise<StoreWorld> {
  const directory = new StoreWorld(seed);
  await directory.open();
  for (const name of names) await directory.updated(name, 1, 1000);
  await directory.restart();
  return directory;
}

it("a scrub finds all damage that nobody has asked for, and nothing else", async () => {
  const directory = await sealed(1);
  directory.rot("key-7.");
  directory.rot("key-21.");
  await directory.world.runUntilSettled(directory.store.scrub());
  const found = directory.store.damage().tokens.map(({ token }) => token);
  const expected = ["key-7.", "key-21."].map((name) => placed(name).token);
  expect(found).toHaveLength(2);
  expect(found).toEqual(expect.arrayContaining(expected));
  const { scrubbedBytes, bytesLive } = directory.store.statistics();
  expect(scrubbedBytes).toBeGreaterThanOrEqual(bytesLive);
});

it("a scrub of a sound directory finds nothing, while updates and compaction go on", async () => {
  const directory = await sealed(2);
  const scrubbed = directory.store.scrub();
  const compacted = directory.store.compact();
  const all = names.slice(3).map((name) => directory.update(name, 2, 1000));
  await directory.world.runUntilSettled(Promise.all([scrubbed, compacted, ...all]));
  await directory.world.runUntilSettled(directory.store.scrub());
  expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
});

it("one unreadable place of the disk costs the records there, not their neighbours", async () => {
  const directory = await sealed(3);
  const { file, offset } = directory.placeOf("key-7.");
  const range = { from: offset, to: offset + 1 };
  directory.disk.inject({ operation: "read", name: file, range, error: "io" });
  await directory.world.runUntilSettled(directory.store.scrub());
  expect(directory.store.damage().tokens).toHaveLength(1);
  expect(versionOf(await directory.read("key-8."))).toBe(1);
});

it("the scrub comes round by itself", async () => {
  const directory = await sealed(4);
  directory.rot("key-7.");
  await directory.pass(2 * 60 * 60 * 1000);
  expect(directory.store.damage().tokens).toHaveLength(1);
});

it("a damaged record that is remembered gives way to what refills it", async () => {
  const directory = new StoreWorld(5, { cacheBytes: 64 * 1024 });
  await directory.open();
  for (const name of names) await directory.updated(name, 1, 1000);
  await directory.restart();
  const key = placed("key-7.");
  const before = await directory.read("key-7.");
  directory.rot("key-7.");
  await directory.world.runUntilSettled(directory.store.scrub());
  expect(await directory.read("key-7.")).toEqual({ state: "unknown" });
  // As a refill does: what others hold is merged into what is held here.
  await directory.world.runUntilSettled(
    new Promise((resolve) => {
      directory.store.update(key, {
        bytes: 1000,
        mayUseReserve: false,
        apply: (held) =>
          held.state === "present" || before.state !== "present" ? undefined : before.stored,
        settle: resolve,
      });
    }),
  );
  directory.store.markRefilled(key.partition, key.token);
  expect(versionOf(await directory.read("key-7."))).toBe(1);
});
