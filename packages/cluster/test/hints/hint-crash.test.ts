import { type Dot, type NodeId, VersionVector } from "@coterie/core";
import type { Held } from "@coterie/storage";
import { expect, it } from "vitest";
import { HintDebt } from "../../src/hints/hint-debt.ts";
import { BookWorld, n1, n2, placed, version } from "./book-world.ts";
import { type Delivered, ListPayer, placesOf } from "./list-payer.ts";

interface Acknowledged {
  readonly target: NodeId;
  readonly name: string;
  readonly clock: VersionVector;
}

/** What was promised, what arrived, and what was minted, over all crashes. */
class Known {
  readonly acknowledged: Acknowledged[] = [];
  readonly delivered: ReadonlyMap<NodeId, Delivered> = new Map([
    [n1, new Map()],
    [n2, new Map()],
  ]);
  readonly minted: { readonly name: string; readonly dot: Dot }[] = [];
}

async function hold(
  directory: BookWorld,
  known: Known,
  target: NodeId,
  name: string,
  counter: number,
): Promise<void> {
  const stored = version(name, counter);
  const outcome = await directory.held(target, name, stored);
  if (outcome.ok) known.acknowledged.push({ target, name, clock: stored.record.clock });
}

/** Writes in the target's place; and sees to it that its actor has forgotten nothing. */
async function write(
  directory: BookWorld,
  known: Known,
  target: NodeId,
  name: string,
): Promise<void> {
  const { outcome, dot } = await directory.until(directory.write(target, name, "value"));
  if (dot === undefined) throw new Error("nothing was minted");
  await expectNothingForgotten(directory, known, target, dot);
  known.minted.push({ name, dot });
  if (outcome.ok) known.acknowledged.push({ target, name, clock: VersionVector.of([dot]) });
}

/** An actor mints only while every record is held that was minted under it before. */
async function expectNothingForgotten(
  directory: BookWorld,
  { minted }: Known,
  target: NodeId,
  { actor }: Dot,
): Promise<void> {
  const generations = directory.book.generationsFor(target);
  const generation = generations.find(({ store }) => store.actor === actor);
  expect({ actor, isHeld: generation !== undefined }).toEqual({ actor, isHeld: true });
  for (const { name, dot } of minted.filter((each) => each.dot.actor === actor)) {
    const held = await directory.until(
      new Promise<Held>((resolve) => generation?.read(placed(name), resolve)),
    );
    const counter = held.state === "present" ? held.stored.record.clock.get(actor) : 0;
    expect({ name, dot, isHeld: counter >= dot.counter }).toEqual({ name, dot, isHeld: true });
  }
}

function pay(
  directory: BookWorld,
  known: Known,
  target: NodeId,
  failsAfter?: number,
): Promise<string> {
  const delivered = known.delivered.get(target) as Delivered;
  const debt = new HintDebt(target, directory.book, placesOf([]));
  return directory.until(debt.pay(new ListPayer(directory, delivered, failsAfter)));
}

/** A life with everything in it: both kinds of hints, a stop, a payment that breaks off, drops. */
async function live(directory: BookWorld, known: Known): Promise<void> {
  await directory.open();
  await hold(directory, known, n1, "a", 1);
  await write(directory, known, n1, "b");
  await hold(directory, known, n2, "a", 2);
  await directory.restart();
  await write(directory, known, n1, "a");
  expect(await pay(directory, known, n1, 1)).toBe("target-failed");
  await hold(directory, known, n1, "a", 3);
  await write(directory, known, n1, "b");
  expect(await pay(directory, known, n1)).toBe("paid");
  await write(directory, known, n1, "b");
  await directory.stop();
}

/** Every hint that was acknowledged is held, or has arrived. */
async function expectNothingLost(directory: BookWorld, known: Known): Promise<void> {
  for (const { target, name, clock } of known.acknowledged) {
    const held = await directory.read(name);
    const arrived = known.delivered.get(target)?.get(name)?.clock ?? VersionVector.empty;
    const here = held.state === "present" ? held.stored.record.clock : VersionVector.empty;
    const isKept = arrived.merge(here).descends(clock);
    expect({ target, name, clock: [...clock.entries()], isKept }).toMatchObject({ isKept: true });
  }
}

it.each([
  ["power", 1, 2],
  ["power", 2, 2],
  ["kill", 3, 3],
] as const)(
  "loses no hint and revives no guest actor by a crash at any operation of the disk (%s, seed %i)",
  async (how, seed, step) => {
    for (let crashAt = seed; ; crashAt += step) {
      const directory = new BookWorld(seed);
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
      if (!isCrashed) {
        expect(crashAt).toBeGreaterThan(80);
        return;
      }
      await directory.open();
      await expectNothingLost(directory, known);
      await write(directory, known, n1, "a");
      await write(directory, known, n1, "b");
      await directory.restart();
      await write(directory, known, n1, "b");
      for (const target of [n1, n2]) expect(await pay(directory, known, target)).toBe("paid");
      await expectNothingLost(directory, known);
      expect(directory.files()).toEqual([]);
      expect(directory.lost).toEqual([]);
    }
  },
);
