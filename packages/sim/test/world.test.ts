import { describe, expect, it } from "vitest";
import { SeededRandom, SimClock, World } from "../src/index.ts";
import { drain } from "./drain.ts";

describe("the world", () => {
  it("runs events in the order of their times, and time stands at each of them", async () => {
    const world = new World({ seed: 1, drain });
    const seen: number[] = [];
    for (const delayMs of [7, 3, 5, 3.5, 0]) {
      world.schedule(delayMs, () => seen.push(delayMs - world.nowMs, delayMs));
    }
    await world.run();
    expect(seen).toEqual([0, 0, 0, 3, 0, 3.5, 0, 5, 0, 7]);
  });

  it("finishes every continuation of an event before the next one", async () => {
    const world = new World({ seed: 1, drain });
    const seen: string[] = [];
    const story = async (name: string): Promise<void> => {
      for (let step = 0; step < 50; step++) await Promise.resolve();
      seen.push(name);
    };
    world.schedule(1, () => void story("first"));
    world.schedule(1.001, () => seen.push("second"));
    await world.run();
    expect(seen).toEqual(["first", "second"]);
  });

  it("breaks ties by the seed", async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const world = new World({ seed, drain });
      let order = "";
      for (const name of ["a", "b", "c"]) world.schedule(1, () => (order += name));
      await world.run();
      orders.add(order);
    }
    expect(orders.size).toBe(6);
  });

  it("stops at the time it was given, after the events of that time", async () => {
    const world = new World({ seed: 1, drain });
    const seen: number[] = [];
    for (const timeMs of [1, 2, 3]) world.schedule(timeMs, () => seen.push(timeMs));
    await world.run({ until: 2 });
    expect(seen).toEqual([1, 2]);
    await world.run({ until: 2.5 });
    expect(world.nowMs).toBe(2.5);
  });

  it("says so when a story waits for what never happens", async () => {
    const world = new World({ seed: 1, drain });
    await expect(world.runUntilSettled(new Promise(() => {}))).rejects.toThrow(
      "a story waits for something that will happen",
    );
  });

  it("returns what the story returns, and leaves later events alone", async () => {
    const world = new World({ seed: 1, drain });
    const clock = new SimClock(world);
    let late = false;
    clock.at(10, () => (late = true));
    const value = new Promise<string>((resolve) => clock.at(5, () => resolve("done")));
    expect(await world.runUntilSettled(value)).toBe("done");
    expect(late).toBe(false);
    expect(world.nowMs).toBe(5);
  });

  it("is not run any further once it was abandoned", async () => {
    const world = new World({ seed: 1, drain });
    const seen: string[] = [];
    world.schedule(1, () => seen.push("happened"));
    world.abandon();
    await expect(world.run()).rejects.toThrow("abandoned");
    expect(seen).toEqual([]);
  });

  it("forks randomness by label, whatever else was drawn", () => {
    const drawn = new SeededRandom(7);
    drawn.below(100);
    const numbers = (random: SeededRandom): number[] =>
      Array.from({ length: 8 }, () => random.below(2 ** 48));
    expect(numbers(drawn.fork("disk"))).toEqual(numbers(new SeededRandom(7).fork("disk")));
    expect(numbers(drawn.fork("disk"))).not.toEqual(numbers(drawn.fork("network")));
  });
});

describe("a clock in the world", () => {
  it("fires after the turn once all that is ready at this time has run", async () => {
    const world = new World({ seed: 3, drain });
    const clock = new SimClock(world);
    const seen: string[] = [];
    world.schedule(1, () => clock.afterTurn(() => seen.push("after")));
    world.schedule(1, () => world.schedule(0, () => seen.push("ready")));
    world.schedule(1, () => seen.push("ready"));
    await world.run();
    expect(seen).toEqual(["ready", "ready", "after"]);
  });

  it("keeps the monotonic clock steady when the wall clock jumps", async () => {
    const world = new World({ seed: 3, drain });
    const clock = new SimClock(world, { monotonicOffsetMs: 1234.567, wallOffsetMs: 10 });
    const before = { monotonic: clock.monotonicMs(), wall: clock.wallMs() };
    clock.jumpWall(-60_000);
    expect(clock.monotonicMs()).toBe(before.monotonic);
    expect(clock.wallMs()).toBe(before.wall - 60_000);
  });

  it("fires nothing after a crash", async () => {
    const world = new World({ seed: 3, drain });
    const clock = new SimClock(world);
    const seen: string[] = [];
    clock.at(5, () => seen.push("deadline"));
    clock.afterTurn(() => {
      seen.push("before the crash");
      clock.crash();
    });
    clock.afterTurn(() => seen.push("after the crash"));
    await world.run();
    expect(seen).toEqual(["before the crash"]);
  });
});
