import { expect, it } from "vitest";
import { wearOut } from "./wear.ts";

it("names few actors in clocks after a thousand crashes and lost disks", async () => {
  const { held, written, actorsMax } = await wearOut(1000);
  expect(held).toEqual(written);
  expect(actorsMax).toBeLessThanOrEqual(4);
});
