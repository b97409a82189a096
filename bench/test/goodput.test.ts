import { expect, it } from "vitest";
import { goodputOf, recoveryMsOf } from "../src/overload/goodput.ts";

it("counts as goodput what was done while the load lasted", () => {
  expect(goodputOf({ tenths: [...Array<number>(20).fill(50), 700] }, 2)).toBe(500);
});

it.each([
  ["at once", [100, 95, 100, 100], 0],
  ["after what comes back in one burst", [0, 300, 20, 100, 90, 100], 300],
  ["never, where too little is done to the end", [50, 60, 100, 100], Number.POSITIVE_INFINITY],
])("is back to normal %s", (_, tenths, ms) => {
  expect(recoveryMsOf(tenths, 1000)).toBe(ms);
});
