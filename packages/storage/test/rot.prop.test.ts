import { compareTokens } from "@coterie/core";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { StoreWorld, placed, versionOf } from "./store-world.ts";

type Step =
  | { readonly kind: "update"; readonly key: number; readonly bytes: number }
  | { readonly kind: "read"; readonly key: number }
  | { readonly kind: "rot"; readonly file: number; readonly place: number; readonly bit: number }
  | { readonly kind: "restart" | "refill" | "compact" | "scrub" };

const key = fc.nat(12);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant("update" as const),
      key,
      bytes: fc.oneof(fc.nat(300), fc.nat(12_000)),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("read" as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("rot" as const),
      file: fc.nat(),
      place: fc.nat(),
      bit: fc.nat(7),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: "restart" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "refill" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "compact" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "scrub" as const }) },
);

/** Flips a bit in the used part of some file: in a segment's zeros it would hardly be noticed. */
function rot(directory: StoreWorld, { file, place, bit }: Step & { kind: "rot" }): void {
  const files = [...directory.disk.image()].filter(([name]) => name !== "reserve");
  const [name, bytes] = files[file % files.length] as [string, Uint8Array];
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
  if (used > 0) directory.disk.flipBit(name, place % used, bit);
}

/** What the other owners of a partition do for a node with damage. */
async function refill(directory: StoreWorld, versions: Map<string, number>): Promise<void> {
  const { tokens, isWhole } = directory.store.damage();
  for (const [name, counter] of versions) {
    const { token } = placed(name);
    const isDamaged = tokens.some((each) => compareTokens(each.token, token) === 0);
    if (isDamaged || !isWhole) await directory.updated(name, counter);
  }
  for (const { partition, token } of tokens) directory.store.markRefilled(partition, token);
  if (!isWhole) directory.store.markWhole();
}

it("never gives out what rotted, nor takes it for absent or for what it was before", async () => {
  const seen = { right: 0, unknown: 0 };
  const run = async (seed: number, steps: readonly Step[]): Promise<void> => {
    const directory = new StoreWorld(seed);
    const versions = new Map<string, number>();
    await directory.open();
    const check = async (name: string): Promise<void> => {
      const held = versionOf(await directory.read(name));
      if (held === -1) seen.unknown += 1;
      else {
        expect({ name, held }).toEqual({ name, held: versions.get(name) ?? 0 });
        seen.right += 1;
      }
    };
    for (const each of steps) {
      if (each.kind === "update") {
        const name = `key-${each.key}.`;
        const counter = (versions.get(name) ?? 0) + 1;
        versions.set(name, counter);
        await directory.updated(name, counter, each.bytes);
      } else if (each.kind === "read") await check(`key-${each.key}.`);
      else if (each.kind === "rot") rot(directory, each);
      else if (each.kind === "restart") {
        // After a crash, rot in the last group would look like a torn write.
        await directory.restart();
        for (const name of versions.keys()) await check(name);
      } else if (each.kind === "refill") await refill(directory, versions);
      else await directory.world.runUntilSettled(directory.store[each.kind]());
    }
    await directory.restart();
    for (const name of versions.keys()) await check(name);
    expect(directory.fatal).toBeUndefined();
  };
  const steps = fc.array(step, { maxLength: 80, size: "max" });
  const numRuns = Number(process.env["RUNS"] ?? 150);
  await fc.assert(fc.asyncProperty(fc.nat(), steps, run), { numRuns });
  expect(seen.right).toBeGreaterThan(numRuns);
  expect(seen.unknown).toBeGreaterThan(numRuns);
}, 120_000);
