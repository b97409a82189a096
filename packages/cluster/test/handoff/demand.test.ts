import { SimClock, World } from "@coterie/sim";
import { expect, it } from "vitest";
import { Demand } from "../../src/handoff/demand.ts";

it.each([
  ["nothing is asked", 0, false],
  ["little is asked", 9, false],
  ["much is asked", 10, true],
])("%s in a tenth of a second", async (_, asked, isHigh) => {
  const world = new World({ seed: 1, drain: () => new Promise((next) => setImmediate(next)) });
  let count = 1000;
  const demand = new Demand(new SimClock(world), () => count);
  expect(demand.isHigh).toBe(false);
  count += asked;
  await world.run({ until: 100 });
  expect(demand.isHigh).toBe(isHigh);
  // It is so until the next look, and then as it has been since.
  await world.run({ until: 150 });
  expect(demand.isHigh).toBe(isHigh);
  await world.run({ until: 200 });
  expect(demand.isHigh).toBe(false);
});
