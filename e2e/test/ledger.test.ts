import { expect, it } from "vitest";
import { Ledger, type Write } from "../src/ledger.ts";

const nothing = { lost: [], corrupt: [], resurrected: [] };

/** Two acknowledged writes, the second with a context that covers the first. */
function twoWrites(): { readonly ledger: Ledger; readonly second: Write } {
  const ledger = new Ledger();
  const first = ledger.begin("k", "a", []);
  ledger.settle(first, "acknowledged");
  const second = ledger.begin("k", "b", [first]);
  ledger.settle(second, "acknowledged");
  return { ledger, second };
}

it("is content with the last value, and with siblings of concurrent writes", () => {
  const { ledger } = twoWrites();
  ledger.settle(ledger.begin("k", "c", []), "acknowledged");
  expect(ledger.judge("k", ["b", "c"])).toEqual(nothing);
});

it("finds a lost write", () => {
  expect(twoWrites().ledger.judge("k", [])).toMatchObject({ lost: ["a", "b"] });
});

it("finds a lost write behind an older value", () => {
  expect(twoWrites().ledger.judge("k", ["a"])).toEqual({
    ...nothing,
    lost: ["b"],
    resurrected: ["a"],
  });
});

it("finds a value that nobody wrote, and one whose write was refused", () => {
  const { ledger } = twoWrites();
  ledger.settle(ledger.begin("k", "d", []), "refused");
  expect(ledger.judge("k", ["b", "d", "e"])).toMatchObject({ corrupt: ["d", "e"] });
});

it("finds a value that returned after its delete", () => {
  const { ledger, second } = twoWrites();
  ledger.settle(ledger.begin("k", undefined, [second]), "acknowledged");
  expect(ledger.judge("k", [])).toEqual(nothing);
  expect(ledger.judge("k", ["b"])).toMatchObject({ resurrected: ["b"] });
});

it("accepts either end of a write of unknown fate, and no third", () => {
  const { ledger, second } = twoWrites();
  ledger.begin("k", "c", [second]);
  expect(ledger.judge("k", ["c"])).toEqual(nothing);
  expect(ledger.judge("k", ["b"])).toEqual(nothing);
  expect(ledger.judge("k", [])).toMatchObject({ lost: ["a", "b"] });
});
