import * as fc from "fast-check";
import { expect, it } from "vitest";
import { StoreWorld, storeKinds, versionOf } from "./store-world.ts";

type Step =
  | { readonly kind: "update"; readonly key: number; readonly bytes: number }
  | { readonly kind: "remove"; readonly key: number }
  | { readonly kind: "read"; readonly key: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "lose" | "crash"; readonly how: "power" | "kill" | "stop" }
  | { readonly kind: "compact" };

const key = fc.nat(12);
const how = fc.constantFrom("power" as const, "kill" as const, "stop" as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("update" as const),
      key,
      bytes: fc.oneof(fc.nat(300), fc.nat(20_000)),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("remove" as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("read" as const), key }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(3000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("crash" as const), how }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("lose" as const), how }) },
  { weight: 3, arbitrary: fc.constant({ kind: "compact" as const }) },
);

/** What was asked of a key, in order: a version, or 0 for its removal. */
class History {
  readonly asked: number[] = [0];
  acknowledged = 0;

  ask(): number {
    this.asked.push(this.asked.length);
    return this.asked.length - 1;
  }

  askRemoval(): number {
    this.asked.push(0);
    return this.asked.length - 1;
  }

  /** What may be held: what was acknowledged last, or asked for since. */
  get possible(): readonly number[] {
    return this.asked.slice(this.acknowledged);
  }
}

it.each(storeKinds)(
  "a removed record never comes back, and one put after it always does (%s)",
  async (kind) => {
    const run = async (seed: number, steps: readonly Step[]): Promise<void> => {
      const directory = new StoreWorld(seed, { kind });
      const histories = new Map<string, History>();
      const historyOf = (name: string): History => {
        const known = histories.get(name) ?? new History();
        histories.set(name, known);
        return known;
      };
      await directory.open();
      const check = async (name: string): Promise<void> => {
        const { possible } = historyOf(name);
        const held = versionOf(await directory.read(name));
        expect({ name, held: possible.includes(held) ? "possible" : held, possible }).toEqual({
          name,
          held: "possible",
          possible,
        });
      };
      const apply = async (each: Step): Promise<void> => {
        if (each.kind === "pass") return directory.pass(each.ms);
        if (each.kind === "read") return check(`key-${each.key}`);
        if (each.kind === "compact") return void directory.store.compact();
        if ("key" in each) {
          const name = `key-${each.key}`;
          const history = historyOf(name);
          const isUpdate = each.kind === "update";
          const at = isUpdate ? history.ask() : history.askRemoval();
          const outcome = isUpdate
            ? directory.update(name, at, each.bytes)
            : directory.remove(name);
          void outcome.then(({ ok }) => {
            if (ok) history.acknowledged = Math.max(history.acknowledged, at);
          });
          return;
        }
        if (each.kind === "lose") await directory.openWithoutCheckpoint(each.how);
        else {
          if (each.how === "stop") await directory.stop();
          else directory.crash(each.how);
          await directory.open();
        }
        expect(directory.store.damage()).toEqual({ tokens: [], partitions: [], isWhole: true });
        for (const [name, history] of histories) {
          await check(name);
          // From here on it is known: what a crash has taken was never promised.
          const held = versionOf(await directory.read(name));
          history.acknowledged = history.asked.lastIndexOf(held);
          history.asked.length = history.acknowledged + 1;
        }
      };
      for (const each of steps) await apply(each);
      await directory.openWithoutCheckpoint("kill");
      for (const name of histories.keys()) await check(name);
      expect(directory.fatal).toBeUndefined();
    };
    const steps = fc.array(step, { maxLength: 120, size: "max" });
    const numRuns = Number(process.env["RUNS"] ?? 100);
    await fc.assert(fc.asyncProperty(fc.nat(), steps, run), { numRuns });
  },
  120_000,
);
