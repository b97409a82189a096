import { describe, expect, it } from "vitest";
import { completeScans } from "../../src/checkers/complete-scans.ts";
import { convergence } from "../../src/checkers/convergence.ts";
import { freshness } from "../../src/checkers/freshness.ts";
import { noLostWrite } from "../../src/checkers/no-lost-write.ts";
import { nothingExpired } from "../../src/checkers/nothing-expired.ts";
import { type Checker, type ClientWrite, History } from "../../src/index.ts";
import { type ClockErrors, Lifetimes } from "../../src/lifetimes.ts";

const key = "b/k";
const exact: ClockErrors = { jumpMsMax: 0, driftPerMillionMax: 0, keepExpiredMs: 1000 };

/** A put that took from 1000 ms to 1100 ms. */
function put(changes: Partial<ClientWrite> = {}): ClientWrite {
  return {
    number: 0,
    key,
    kind: "put",
    saw: [],
    isBlindDelete: false,
    isForeign: false,
    ttlMs: 5000,
    invokedMs: 1000,
    settledMs: 1100,
    outcome: "ok",
    context: undefined,
    ...changes,
  };
}

interface Told {
  readonly writes?: readonly ClientWrite[];
  readonly values: readonly number[];
  readonly atMs: number;
  readonly clocks?: ClockErrors;
  readonly policy?: "siblings" | "lww";
}

/** Puts, and what a strict read, a scan and the final read at a time found; who objects? */
function objections({ writes = [put()], values, atMs, ...told }: Told): readonly string[] {
  const { clocks = exact, policy = "siblings" } = told;
  const promises = new Map([["b", { policy, n: 3, r: 2, w: 2 }]]);
  const history = new History(promises, new Lifetimes(clocks));
  for (const write of writes) history.addWrite(write);
  const times = { invokedMs: atMs, settledMs: atMs + 10 };
  history.addRead({
    key,
    values,
    ...times,
    isStrict: true,
    isRepeatable: false,
    context: undefined,
  });
  const keys = values.length === 0 ? [] : [key];
  history.scans.push({ bucket: "b", keys, ...times });
  history.finalMs = { from: atMs, to: atMs + 10 };
  const copies = new Map([
    ["n1", "one"],
    ["n2", "another"],
  ]);
  const checkers: readonly Checker[] = [noLostWrite, freshness, nothingExpired, completeScans];
  const final = [{ key, values, copies }];
  const found = [...checkers, convergence].flatMap((check) => check(history, final));
  return [...new Set(found.map(({ checker }) => checker))].toSorted();
}

const missing = ["complete-scans", "freshness", "no-lost-write"];
const undead = ["complete-scans", "nothing-expired"];
const wrongClocks: ClockErrors = { jumpMsMax: 50_000, driftPerMillionMax: 0, keepExpiredMs: 0 };

describe("a value that lives for five seconds, put at one second", () => {
  it.each<[string, Told, readonly string[]]>([
    ["is there at five", { values: [0], atMs: 5000 }, ["convergence"]],
    ["must be there at five", { values: [], atMs: 5000 }, ["convergence", ...missing].toSorted()],
    ["may be gone at seven", { values: [], atMs: 7000 }, []],
    ["may be there at seven: one of two may have done it", { values: [0], atMs: 7000 }, []],
    [
      "may be there at nine: one that stood still may have done it",
      { values: [0], atMs: 9000 },
      [],
    ],
    ["must be gone at eleven", { values: [0], atMs: 11_000 }, undead],
    [
      "may be there at eleven if it was sent again",
      { writes: [put({ mayComeLate: true })], values: [0], atMs: 11_000 },
      [],
    ],
    ["must be gone at twenty", { values: [0], atMs: 20_000 }, undead],
    ["is gone at twenty, and perhaps not swept everywhere", { values: [], atMs: 20_000 }, []],
    ["is swept everywhere at a minute", { values: [], atMs: 60_000 }, ["convergence"]],
    [
      "may be gone at once, where clocks are far apart",
      { values: [], atMs: 1200, clocks: wrongClocks },
      [],
    ],
    [
      "may be there at a minute, where clocks are far apart",
      { values: [0], atMs: 60_000, clocks: wrongClocks },
      [],
    ],
    [
      "must be gone in the end all the same",
      { values: [0], atMs: 115_000, clocks: wrongClocks },
      undead,
    ],
    [
      "must be there while no drift can explain that it is not",
      { values: [], atMs: 4000, clocks: { ...exact, driftPerMillionMax: 20_000 } },
      ["convergence", ...missing].toSorted(),
    ],
    [
      "may be gone a little early if clocks drift",
      { values: [], atMs: 5950, clocks: { ...exact, driftPerMillionMax: 20_000 } },
      [],
    ],
  ])("%s", (_what, told, expected) => {
    expect(objections(told)).toEqual(expected);
  });

  it("takes what it had replaced along, and nothing else", () => {
    const stays = put({ ttlMs: undefined });
    const over = put({ number: 1, saw: [0], invokedMs: 2000, settledMs: 2100 });
    const beside = put({ number: 1, invokedMs: 2000, settledMs: 2100 });
    const at = { values: [], atMs: 9000 };
    expect(objections({ writes: [stays, over], ...at })).toEqual([]);
    expect(objections({ writes: [stays, beside], ...at })).toEqual(missing);
    expect(objections({ writes: [stays, beside], ...at, policy: "lww" })).toEqual([]);
    const refused = { ...over, outcome: "refused" as const };
    expect(objections({ writes: [stays, refused], ...at })).toContain("no-lost-write");
  });
});
