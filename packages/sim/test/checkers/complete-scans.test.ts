import { expect, it } from "vitest";
import { completeScans } from "../../src/checkers/complete-scans.ts";
import { type ClientWrite, History } from "../../src/index.ts";

interface Told {
  readonly key?: string;
  readonly kind?: ClientWrite["kind"];
  readonly saw?: readonly number[];
  readonly outcome?: ClientWrite["outcome"];
  readonly fromMs: number;
  readonly toMs: number;
}

/** A history of writes, and one scan from 100 ms to 200 ms. */
function scanned(keys: readonly string[], writes: readonly Told[], asked = 1): History {
  const history = new History();
  for (const { key = "b/k", kind = "put", saw, outcome = "ok", fromMs, toMs } of writes) {
    history.addWrite({
      number: history.writes.length,
      key,
      kind,
      saw: saw ?? [],
      isBlindDelete: kind === "delete" && saw === undefined,
      isForeign: false,
      invokedMs: fromMs,
      settledMs: toMs,
      outcome,
      context: undefined,
    });
  }
  history.scans.push({ bucket: "b", keys, invokedMs: 100, settledMs: 200, asked });
  return history;
}

const early = { fromMs: 10, toMs: 20 };

it.each([
  ["a key that was there throughout, and was returned", scanned(["b/k"], [early])],
  ["a key that is put meanwhile", scanned([], [{ fromMs: 90, toMs: 110 }])],
  ["a key that may be deleted meanwhile", scanned([], [early, deletion("unknown", 150)])],
  ["a key that was deleted before", scanned([], [early, deletion("ok", 50)])],
  ["a key of another bucket", scanned([], [{ ...early, key: "bb/k" }])],
  ["a key, where reads need not meet writes", scanned([], [early], 0)],
])("allows %s", (_what, history) => {
  expect(completeScans(history, [])).toEqual([]);
});

it.each([
  ["a key that is left out", scanned([], [early]), "did not return b/k"],
  ["a key that is left out although a delete of it was refused", refusedDelete(), "did not return"],
  ["a key that was deleted only after the scan", deletedLater(), "did not return b/k"],
  ["a key that is returned twice", scanned(["b/k", "b/k"], [early]), "returned b/k twice"],
  ["a key that nobody put", scanned(["b/x"], []), "returned b/x, never put"],
  ["a key that is put only later", scanned(["b/k"], [{ fromMs: 300, toMs: 310 }]), "never put"],
])("objects to %s", (_what, history, detail) => {
  expect(completeScans(history, []).map((violation) => violation.detail)).toEqual([
    expect.stringContaining(detail),
  ]);
});

it("allows that a key is missing when a directory was put back before the scan ended", () => {
  const history = scanned([], [early]);
  history.noteForgotten("b/k", 150);
  expect(completeScans(history, [])).toEqual([]);
  const later = scanned([], [early]);
  later.noteForgotten("b/k", 201);
  expect(completeScans(later, [])).toHaveLength(1);
});

function deletion(outcome: ClientWrite["outcome"], fromMs: number): Told {
  return { kind: "delete", saw: [0], outcome, fromMs, toMs: fromMs + 10 };
}

function refusedDelete(): History {
  return scanned([], [early, deletion("refused", 50)]);
}

function deletedLater(): History {
  return scanned([], [early, deletion("ok", 250)]);
}
