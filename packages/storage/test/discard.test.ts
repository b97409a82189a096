import { type PartitionId, compareTokens } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { type StoreKind, StoreWorld, placed, storeKinds, versionOf } from "./store-world.ts";

const names = Array.from({ length: 40 }, (_, at) => `key-${at}.`);
const { partition } = placed("key-0.");
const inside = names.filter((name) => placed(name).partition === partition);
const outside = names.filter((name) => placed(name).partition !== partition);
/** Large enough for three to fill a segment. */
const largeBytes = 18_000;

async function filled(seed: number, kind: StoreKind = "log"): Promise<StoreWorld> {
  const directory = new StoreWorld(seed, { kind });
  await directory.open();
  for (const name of names) await directory.updated(name, 1);
  return directory;
}

function discard(directory: StoreWorld, which: PartitionId = partition): Promise<boolean> {
  return directory.world.runUntilSettled(directory.store.discard(which));
}

async function versionsOf(
  directory: StoreWorld,
  which: readonly string[],
): Promise<readonly number[]> {
  const versions: number[] = [];
  for (const name of which) versions.push(versionOf(await directory.read(name)));
  return versions;
}

const lost = { tokens: [], partitions: [partition], isWhole: true };
const whole = { tokens: [], partitions: [], isWhole: true };

async function reopen(
  directory: StoreWorld,
  how: "power" | "kill" | "stop" | "lost",
): Promise<void> {
  if (how === "lost") await directory.openWithoutCheckpoint("kill");
  else if (how === "stop") await directory.restart();
  else {
    directory.crash(how);
    await directory.open();
  }
}

describe.each(storeKinds)("a partition that is thrown away (%s)", (kind) => {
  it("is unknown until it is whole again, and no other is touched", async () => {
    const directory = await filled(1, kind);
    const { actor } = directory.store.mint();
    expect(await discard(directory)).toBe(true);
    expect(directory.store.damage()).toEqual(lost);
    expect(await versionsOf(directory, inside)).toEqual(inside.map(() => -1));
    expect(await versionsOf(directory, outside)).toEqual(outside.map(() => 1));
    expect(await directory.list(partition)).toEqual([]);
    expect(directory.store.statistics().keys).toBe(outside.length);
    // What it minted it has forgotten.
    expect(directory.store.actor).not.toBe(actor);
    // As a refill does.
    await directory.updated("key-0.", 2);
    expect(await directory.read("key-0.")).toEqual({ state: "unknown" });
    directory.store.markPartitionWhole(partition);
    expect(directory.store.damage()).toEqual(whole);
    expect(await versionsOf(directory, inside)).toEqual([2, ...inside.slice(1).map(() => 0)]);
  });

  it("takes its known damage with it", async () => {
    const directory = await filled(2, kind);
    await directory.restart();
    directory.rot("key-0.");
    await directory.world.runUntilSettled(directory.store.scrub());
    expect(directory.store.damage().tokens).toHaveLength(1);
    await discard(directory);
    expect(directory.store.damage()).toEqual(lost);
    await directory.openWithoutCheckpoint("stop");
    directory.store.markWhole();
    expect(directory.store.damage()).toEqual(lost);
  });

  it("is thrown away once more, if it must be", async () => {
    const directory = await filled(3, kind);
    for (let round = 0; round < 2; round += 1) {
      await discard(directory);
      await directory.updated("key-0.", 2);
    }
    await discard(directory);
    directory.store.markPartitionWhole(partition);
    await directory.pass(100);
    await reopen(directory, "lost");
    expect(await versionsOf(directory, inside)).toEqual(inside.map(() => 0));
  });

  it.each(["power", "kill", "stop", "lost"] as const)("stays so (%s)", async (how) => {
    const directory = await filled(4, kind);
    await discard(directory);
    await directory.updated("key-0.", 2);
    for (let start = 0; start < 2; start += 1) {
      await reopen(directory, how);
      expect(directory.store.damage()).toEqual(lost);
      expect(await versionsOf(directory, inside)).toEqual(inside.map(() => -1));
      expect(await versionsOf(directory, outside)).toEqual(outside.map(() => 1));
    }
    directory.store.markPartitionWhole(partition);
    await directory.pass(100);
    await reopen(directory, how);
    expect(directory.store.damage()).toEqual(whole);
    expect(await versionsOf(directory, inside)).toEqual([2, ...inside.slice(1).map(() => 0)]);
    expect(await versionsOf(directory, outside)).toEqual(outside.map(() => 1));
  });

  it("comes apart from updates under way without harm", async () => {
    const directory = await filled(6, kind);
    await directory.restart();
    const updates = inside.map((name) => directory.update(name, 2));
    const discarded = directory.store.discard(partition);
    const later = inside.slice(0, 2).map((name) => directory.update(name, 3));
    await directory.world.runUntilSettled(Promise.all([...updates, discarded, ...later]));
    directory.store.markPartitionWhole(partition);
    await directory.pass(50);
    const before = await versionsOf(directory, inside);
    expect(before.slice(0, 2)).toEqual([3, 3]);
    await reopen(directory, "lost");
    expect(await versionsOf(directory, inside)).toEqual(before);
    const tokens = (await directory.list(partition)).map(({ token }) => token);
    expect(tokens).toEqual(tokens.toSorted(compareTokens));
  });
});

describe("a partition that is thrown away from the log", () => {
  it("stays so when its segment goes, and an older one does not", async () => {
    const directory = await filled(5);
    const large = outside.slice(0, 3);
    for (const name of large) await directory.updated(name, 2, largeBytes);
    await directory.restart();
    const old = directory.files().filter((name) => name.startsWith("log-"));
    await discard(directory);
    await directory.updated("dies", 1, largeBytes);
    await directory.restart();
    await directory.updated("dies", 2);
    await directory.world.runUntilSettled(directory.store.compact());
    expect(directory.files()).toContain(old[0]);
    expect(directory.files()).not.toContain(old.at(-1));
    await reopen(directory, "lost");
    expect(directory.store.damage()).toEqual(lost);
    directory.store.markPartitionWhole(partition);
    expect(await versionsOf(directory, inside)).toEqual(inside.map(() => 0));
    // And is forgotten with the last of those that may contradict it.
    for (const name of outside) await directory.updated(name, 3);
    await directory.restart();
    await directory.world.runUntilSettled(directory.store.compact());
    await directory.restart();
    await directory.world.runUntilSettled(directory.store.compact());
    await reopen(directory, "lost");
    expect(await versionsOf(directory, inside)).toEqual(inside.map(() => 0));
    expect(await versionsOf(directory, outside)).toEqual(outside.map(() => 3));
  });
});

it.each(["power", "kill"] as const)(
  "no crash leaves a partition half thrown away, and taken for whole (%s)",
  async (how) => {
    for (let crashAt = 1; ; crashAt += 1) {
      const directory = await filled(7);
      await directory.restart();
      const begun = directory.operations;
      let isCrashed = false;
      directory.onOperation = (operation) => {
        if (operation !== begun + crashAt) return;
        isCrashed = true;
        directory.crash(how);
      };
      let isDiscarded = false;
      const live = async (): Promise<void> => {
        isDiscarded = await discard(directory);
        await directory.updated("key-0.", 2);
        await directory.stop();
      };
      await live().catch((error: unknown) => {
        if (!isCrashed) throw error;
      });
      directory.onOperation = undefined;
      if (!isCrashed) break;
      for (const hasCheckpoint of [true, false]) {
        if (hasCheckpoint) await directory.open();
        else await directory.openWithoutCheckpoint(how);
        const { partitions } = directory.store.damage();
        if (isDiscarded)
          expect({ crashAt, partitions }).toEqual({ crashAt, partitions: [partition] });
        const versions = await versionsOf(directory, inside);
        const one = partitions.length > 0 ? -1 : 1;
        expect({ crashAt, versions }).toEqual({ crashAt, versions: inside.map(() => one) });
        directory.crash(how);
      }
    }
  },
  60_000,
);
