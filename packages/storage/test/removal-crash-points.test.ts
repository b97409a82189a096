import { expect, it } from "vitest";
import { StoreWorld, versionOf } from "./store-world.ts";

/** By key, the versions asked for, in order, 0 for a removal; and the last one acknowledged. */
class Known {
  readonly #asked = new Map<string, number[]>();
  readonly #acknowledged = new Map<string, number>();

  get names(): readonly string[] {
    return [...this.#asked.keys()];
  }

  ask(name: string, version: number): number {
    const asked = this.#asked.get(name) ?? [0];
    this.#asked.set(name, asked);
    asked.push(version);
    return asked.length - 1;
  }

  acknowledge(name: string, at: number): void {
    this.#acknowledged.set(name, at);
  }

  possible(name: string): readonly number[] {
    return this.#asked.get(name)?.slice(this.#acknowledged.get(name) ?? 0) ?? [];
  }
}

/** A life in which removals outlive their segment, and are forgotten in the end. */
async function live(directory: StoreWorld, known: Known): Promise<void> {
  const { world } = directory;
  const put = async (name: string, counter: number, bytes: number = 50): Promise<void> => {
    const at = known.ask(name, counter);
    const outcome = await directory.updated(name, counter, bytes);
    if (outcome.ok) known.acknowledge(name, at);
  };
  const remove = async (name: string): Promise<void> => {
    const at = known.ask(name, 0);
    const outcome = await directory.removed(name);
    if (outcome.ok) known.acknowledge(name, at);
  };
  await directory.open();
  for (const name of ["gone", "again"]) await put(name, 1);
  await put("kept", 1, 30_000);
  await directory.restart();
  for (const name of ["gone", "again"]) await remove(name);
  await put("again", 2);
  await put("dies", 1, 30_000);
  await directory.restart();
  await put("dies", 2);
  // The second segment goes, and the first stays.
  await world.runUntilSettled(directory.store.compact());
  await put("kept", 2);
  await directory.restart();
  // Now the first one goes.
  await world.runUntilSettled(directory.store.compact());
  await put("gone", 3);
  await remove("again");
  await directory.stop();
}

async function liveUntil(
  crashAt: number,
  how: "power" | "kill",
): Promise<{ readonly directory: StoreWorld; readonly known: Known; readonly isOver: boolean }> {
  const directory = new StoreWorld(1);
  const known = new Known();
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
  ["power", true],
  ["kill", false],
] as const)(
  "no crash brings a removed record back (%s, checkpoint: %s)",
  async (how, hasCheckpoint) => {
    for (let crashAt = 1; ; crashAt += 1) {
      const { directory, known, isOver } = await liveUntil(crashAt, how);
      if (isOver) {
        expect(crashAt).toBeGreaterThan(100);
        return;
      }
      // What was lost with the crash's own loss of the checkpoint must not be in the next one.
      for (let start = 0; start < 3; start += 1) {
        if (hasCheckpoint && start < 2) await directory.open();
        else await directory.openWithoutCheckpoint(how);
        for (const name of known.names) {
          const held = versionOf(await directory.read(name));
          const possible = known.possible(name);
          expect({ crashAt, start, name, held, possible }).toEqual({
            crashAt,
            start,
            name,
            held: possible.includes(held) ? held : possible[0],
            possible,
          });
        }
        expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
        expect(await directory.updated("after", 1)).toEqual({ ok: true, changed: true });
        expect(directory.fatal).toBeUndefined();
        directory.crash(how);
      }
    }
  },
  60_000,
);
