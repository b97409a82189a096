import {
  clockGuarantees,
  diskGuarantees,
  engineGuarantees,
  networkGuarantees,
  randomGuarantees,
} from "@coterie/ports/conformance";
import { describe, it } from "vitest";
import { SeededRandom, SimClock, SimDisk, SimEngine, World } from "../src/index.ts";
import { drain } from "./drain.ts";
import { networkSubject } from "./network-subject.ts";

const seeds = [1, 2, 3];

describe.each(seeds)("with seed %i", (seed) => {
  const worldOf = (): World => new World({ seed, drain });

  describe("the simulated clock", () => {
    it.each(clockGuarantees)("$name", async (guarantee) => {
      const world = worldOf();
      const clock = new SimClock(world, { monotonicOffsetMs: 0.1 + seed, wallOffsetMs: -5000 });
      await world.runUntilSettled(guarantee.run({ clock }));
    });
  });

  describe("the simulated disk", () => {
    it.each(diskGuarantees)("$name", async (guarantee) => {
      const world = worldOf();
      const disk = new SimDisk(world, { name: "n1" });
      const subject = { disk, other: disk.forProcess("n2"), holderName: "n1" };
      await world.runUntilSettled(guarantee.run(subject));
    });
  });

  describe("the simulated key-value engine", () => {
    it.each(engineGuarantees)("$name", async (guarantee) => {
      const world = worldOf();
      await world.runUntilSettled(guarantee.run({ engine: new SimEngine(world) }));
    });
  });

  describe("the simulated network", () => {
    it.each(networkGuarantees)("$name", async (guarantee) => {
      const world = worldOf();
      await world.runUntilSettled(guarantee.run(networkSubject(world)));
    });
  });

  describe("seeded randomness", () => {
    it.each(randomGuarantees)("$name", (guarantee) =>
      guarantee.run({ random: new SeededRandom(seed) }),
    );
  });
});
