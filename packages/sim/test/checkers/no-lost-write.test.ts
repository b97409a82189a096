import { expect, it } from "vitest";
import { noLostWrite } from "../../src/checkers/no-lost-write.ts";
import { type ClientWrite, History } from "../../src/history.ts";

const key = "b/k";

interface Told {
  readonly outcome: "ok" | "unknown";
  /** Whether a read returned the put, and one that must be repeatable. */
  readonly read: "never" | "weakly" | "repeatably";
  readonly isForgotten?: boolean;
}

/** One put, the reads of it, and a final read that finds nothing. */
function lost({ outcome, read, isForgotten = false }: Told): readonly string[] {
  const history = new History();
  history.addWrite({
    number: 0,
    key,
    kind: "put",
    saw: [],
    isBlindDelete: false,
    isForeign: false,
    invokedMs: 10,
    settledMs: outcome === "ok" ? 20 : Number.POSITIVE_INFINITY,
    outcome,
    context: undefined,
  });
  if (read !== "never") {
    const isRepeatable = read === "repeatably";
    const seen = { invokedMs: 30, settledMs: 40, isStrict: isRepeatable, isRepeatable };
    history.addRead({ key, values: [0], ...seen, context: undefined });
  }
  if (isForgotten) history.noteForgotten(key, 50);
  return noLostWrite(history, [{ key, values: [], copies: new Map() }]).map(({ detail }) => detail);
}

it.each<[string, Told]>([
  ["a put that nobody was told of", { outcome: "unknown", read: "never" }],
  ["a put that one replica may have held alone", { outcome: "unknown", read: "weakly" }],
  [
    "a put whose readers relied on a directory that forgot",
    { outcome: "unknown", read: "repeatably", isForgotten: true },
  ],
])("allows that %s is gone", (_what, told) => {
  expect(lost(told)).toEqual([]);
});

it.each<[string, Told, string]>([
  ["acknowledged", { outcome: "ok", read: "never" }, "acknowledged write 0 is gone"],
  ["read", { outcome: "unknown", read: "repeatably" }, "write 0, which was read, is gone"],
])("objects if a put that was %s is gone", (_what, told, detail) => {
  expect(lost(told)).toEqual([expect.stringContaining(detail)]);
});

const blindDelete: ClientWrite = {
  number: 0,
  key,
  kind: "delete",
  saw: [],
  isBlindDelete: true,
  isForeign: false,
  invokedMs: 0,
  settledMs: 5,
  outcome: "ok",
  context: undefined,
};

/** A put that is gone in the end, begun after a delete without a context had succeeded. */
function lostAfter(earlier: ClientWrite): number {
  const history = new History();
  history.addWrite(earlier);
  const times = { invokedMs: 10, settledMs: 20 };
  history.addWrite({
    ...earlier,
    ...times,
    number: 1,
    kind: "put",
    isBlindDelete: false,
    lingers: false,
  });
  return noLostWrite(history, [{ key, values: [], copies: new Map() }]).length;
}

it("objects if a put is gone that is later than a delete", () => {
  expect(lostAfter(blindDelete)).toBe(1);
});

it("allows that it is gone if an attempt at that delete was never answered", () => {
  expect(lostAfter({ ...blindDelete, lingers: true })).toBe(0);
});
