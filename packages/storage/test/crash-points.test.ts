import { expect, it } from "vitest";
import { StoreWorld, versionOf } from "./store-world.ts";

const names = ["a", "b", "c", "d"].map((name) => `key-${name}`);

interface Known {
  readonly acknowledged: Map<string, number>;
  readonly sent: Map<string, number>;
}

/** A life with everything in it: a first start, groups, a clean stop, compaction, a checkpoint. */
async function live(directory: StoreWorld, known: Known): Promise<void> {
  const put = async (name: string, counter: number, bytes: number): Promise<void> => {
    known.sent.set(name, counter);
    const outcome = await directory.updated(name, counter, bytes);
    if (outcome.ok) known.acknowledged.set(name, counter);
  };
  await directory.open();
  await directory.pass(30);
  for (const name of names) await put(name, 1, 100);
  await Promise.all(
    names
      .slice(1)
      .map(async (name) => {
        known.sent.set(name, 2);
        const outcome = await directory.update(name, 2, 100);
        if (outcome.ok) known.acknowledged.set(name, 2);
      })
      .map((each) => directory.world.runUntilSettled(each)),
  );
  await directory.restart();
  await put("key-b", 3, 30_000);
  await put("key-c", 3, 30_000);
  await directory.world.runUntilSettled(directory.store.compact());
  await put("key-d", 3, 100);
  await directory.stop();
}

/** Runs the life up to an operation of the disk; returns how many there were. */
async function liveUntil(
  seed: number,
  crashAt: number,
  how: "power" | "kill",
): Promise<{ readonly directory: StoreWorld; readonly known: Known; readonly isOver: boolean }> {
  const directory = new StoreWorld(seed);
  const known: Known = { acknowledged: new Map(), sent: new Map() };
  let isCrashed = false;
  directory.onOperation = (operation) => {
    if (operation !== crashAt) return;
    isCrashed = true;
    directory.crash(how);
  };
  // After the crash nothing that the life waits for will happen.
  await live(directory, known).catch((error: unknown) => {
    if (!isCrashed) throw error;
  });
  directory.onOperation = undefined;
  return { directory, known, isOver: !isCrashed };
}

it.each([
  ["power", 1],
  ["power", 2],
  ["power", 3],
  ["kill", 1],
] as const)(
  "loses nothing acknowledged by a crash at any operation of the disk (%s, seed %i)",
  async (how, seed) => {
    for (let crashAt = 1; ; crashAt += 1) {
      const { directory, known, isOver } = await liveUntil(seed, crashAt, how);
      if (isOver) {
        expect(crashAt).toBeGreaterThan(80);
        return;
      }
      for (let start = 0; start < 2; start += 1) {
        const report = await directory.open();
        expect({ crashAt, damaged: report.damagedRecords }).toEqual({ crashAt, damaged: 0 });
        expect({ crashAt, isWhole: directory.store.damage().isWhole }).toEqual({
          crashAt,
          isWhole: true,
        });
        for (const name of names) {
          const held = versionOf(await directory.read(name));
          const least = known.acknowledged.get(name) ?? 0;
          const most = known.sent.get(name) ?? 0;
          expect({ crashAt, name, held }).toEqual({
            crashAt,
            name,
            held: Math.max(least, Math.min(most, held)),
          });
        }
        expect(await directory.updated("after", 1)).toEqual({ ok: true, changed: true });
        expect(directory.fatal).toBeUndefined();
        directory.crash(how);
      }
    }
  },
  60_000,
);
