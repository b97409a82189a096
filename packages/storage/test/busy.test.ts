import { expect, it } from "vitest";
import { StoreWorld, storeKinds, versionOf } from "./store-world.ts";

const writers = 8;

interface Writer {
  readonly name: string;
  sent: number;
  acknowledged: number;
}

/** Writes its key again as soon as it is durable: so something is gathering at any moment. */
function write(directory: StoreWorld, writer: Writer, isCurrent: () => boolean): void {
  writer.sent += 1;
  const counter = writer.sent;
  void directory.update(writer.name, counter, 500 + ((counter * 37) % 3000)).then((outcome) => {
    if (!isCurrent()) return;
    if (outcome.ok) writer.acknowledged = Math.max(writer.acknowledged, counter);
    write(directory, writer, isCurrent);
  });
}

async function compactForEver(directory: StoreWorld, isCurrent: () => boolean): Promise<void> {
  while (isCurrent()) {
    await directory.store.compact();
    await new Promise<void>((resolve) => {
      directory.clock.at(directory.clock.monotonicMs() + 5, resolve);
    });
  }
}

it.each(
  storeKinds.flatMap((kind) => Array.from({ length: 15 }, (_, seed) => ({ kind, seed: seed + 1 }))),
)(
  "loses nothing while it checkpoints, compacts and removes under load: $kind, seed $seed",
  async ({ kind, seed }) => {
    const directory = new StoreWorld(seed, { kind });
    const all = Array.from({ length: writers }, (_, at): Writer => {
      return { name: `key-${at}.`, sent: 0, acknowledged: 0 };
    });
    await directory.open();
    let life = 0;
    for (let crash = 0; crash < 4; crash += 1) {
      const current = life;
      const isCurrent = (): boolean => life === current;
      for (const writer of all) write(directory, writer, isCurrent);
      void compactForEver(directory, isCurrent);
      await directory.pass(300 + ((seed * 131 + crash * 577) % 900));
      expect(directory.store.statistics().checkpoints).toBeGreaterThan(0);
      life += 1;
      directory.crash("power");
      expect((await directory.open()).usedCheckpoint).toBe(true);
      expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
      for (const { name, sent, acknowledged } of all) {
        const held = versionOf(await directory.read(name));
        const expected = Math.max(acknowledged, Math.min(held, sent));
        expect({ name, held }).toEqual({ name, held: expected });
      }
    }
  },
);
