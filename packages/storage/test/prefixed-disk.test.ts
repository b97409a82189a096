import { diskGuarantees } from "@coterie/ports/conformance";
import { SimDisk, World } from "@coterie/sim";
import { describe, expect, it } from "vitest";
import * as io from "../src/disk-promises.ts";
import { PrefixedDisk } from "../src/index.ts";

const worldOf = (seed: number): World =>
  new World({ seed, drain: () => new Promise((resolve) => setImmediate(resolve)) });

describe("a part of a directory is a directory", () => {
  it.each(diskGuarantees)("$name", async (guarantee) => {
    const world = worldOf(1);
    const whole = new SimDisk(world, { name: "n1" });
    const disk = new PrefixedDisk(whole, "part-1.");
    const other = new PrefixedDisk(whole.forProcess("n2"), "part-1.");
    await world.runUntilSettled(guarantee.run({ disk, other, holderName: "n1" }));
  });
});

it("holds what begins with its prefix, and nothing else", async () => {
  const world = worldOf(1);
  const whole = new SimDisk(world, { name: "n1" });
  const part = new PrefixedDisk(whole, "part-1.");
  const next = new PrefixedDisk(whole, "part-10.");
  await world.runUntilSettled(
    (async () => {
      for (const [disk, name] of [
        [whole, "alone"],
        [whole, "part-1."],
        [part, "b"],
        [part, "a"],
        [next, "a"],
      ] as const) {
        const opened = await io.open(disk, name, "create");
        expect(opened).toMatchObject({ ok: true, value: { name } });
      }
      await io.remove(next, "a");
      await io.rename(part, "b", "c");
    })(),
  );
  const listed = await world.runUntilSettled(io.list(part));
  expect(listed).toEqual({ ok: true, value: ["a", "c"] });
  expect([...whole.image().keys()]).toEqual(["alone", "part-1.", "part-1.a", "part-1.c"]);
});
