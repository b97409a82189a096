import { expect, it } from "vitest";
import { wearOut } from "./wear.ts";

it("names few actors in clocks after twelve crashes and lost disks", async () => {
  const { held, written, actorsMax } = await wearOut(12);
  expect(held).toEqual(written);
  // One for each copy, and the value's own.
  expect(actorsMax).toBeLessThanOrEqual(4);
});
