import * as fc from "fast-check";
import { expect, it } from "vitest";
import { StoreWorld, storeKinds, versionOf } from "./store-world.ts";

type Step =
  | { readonly kind: "update"; readonly key: number; readonly bytes: number }
  | { readonly kind: "read"; readonly key: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "crash"; readonly how: "power" | "kill" }
  | { readonly kind: "stop" | "compact" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant("update" as const),
      key: fc.nat(12),
      bytes: fc.oneof(fc.nat(300), fc.nat(20_000)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("read" as const), key: fc.nat(12) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(3000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("crash" as const),
      how: fc.constantFrom("power" as const, "kill" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("stop" as const) }) },
);

/** What may be held of a key: at least what was acknowledged, at most what was sent. */
interface Bounds {
  acknowledged: number;
  sent: number;
}

it.each(storeKinds)(
  "never loses an acknowledged record, whatever crashes when (%s)",
  async (kind) => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(step, { maxLength: 120, size: "max" }),
        async (seed, steps) => {
          const directory = new StoreWorld(seed, { kind });
          const bounds = new Map<string, Bounds>();
          await directory.open();
          const check = async (name: string): Promise<void> => {
            const { acknowledged, sent } = bounds.get(name) ?? { acknowledged: 0, sent: 0 };
            const held = versionOf(await directory.read(name));
            expect({ name, held }).toEqual({
              name,
              held: Math.max(acknowledged, Math.min(held, sent)),
            });
          };
          for (const each of steps) {
            if (each.kind === "update") {
              const name = `key-${each.key}`;
              const known = bounds.get(name) ?? { acknowledged: 0, sent: 0 };
              bounds.set(name, known);
              known.sent += 1;
              const counter = known.sent;
              void directory.update(name, counter, each.bytes).then((outcome) => {
                if (outcome.ok) known.acknowledged = Math.max(known.acknowledged, counter);
              });
            } else if (each.kind === "read") await check(`key-${each.key}`);
            else if (each.kind === "pass") await directory.pass(each.ms);
            else if (each.kind === "compact") void directory.store.compact();
            else {
              if (each.kind === "crash") directory.crash(each.how);
              else await directory.stop();
              const report = await directory.open();
              expect(report.damagedRecords).toBe(0);
              for (const name of bounds.keys()) await check(name);
            }
          }
          expect(directory.fatal).toBeUndefined();
        },
      ),
      { numRuns: Number(process.env["RUNS"] ?? 300) },
    );
  },
  120_000,
);
