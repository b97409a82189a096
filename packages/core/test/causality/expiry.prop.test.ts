import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CausalRecord,
  type Dot,
  VersionVector,
  applyPut,
  contextOf,
  decodeRecord,
  dropExpired,
  emptyRecord,
  encodeRecord,
  hex,
  isSpent,
  latestSibling,
  mergeRecords,
  recordDeadlineMs,
  nextDeadlineMs,
  spendExpired,
  utf8,
} from "../../src/index.ts";
import { actorNamed, namesIn, writeIdNamed } from "./history.ts";

const key = { bucket: "default", key: utf8("k") };
const replicas = 3;
const at = fc.nat(replicas - 1);

type Step =
  | {
      readonly kind: "put";
      readonly at: number;
      readonly ttlMs: number | undefined;
      readonly reads: boolean;
      readonly hasId: boolean;
    }
  | { readonly kind: "merge"; readonly from: number; readonly at: number }
  | { readonly kind: "sweep"; readonly at: number }
  | { readonly kind: "wait"; readonly ms: number };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("put" as const),
        at,
        ttlMs: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
        reads: fc.boolean(),
        hasId: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("merge" as const), from: at, at }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("sweep" as const), at }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(300) }),
    },
  ),
  { maxLength: 30, size: "max" },
);

interface Written {
  readonly deadlineMs: number | undefined;
  readonly order: number;
}

type Sweep = (record: CausalRecord, nowMs: number) => CausalRecord;

/** Three replicas with clocks that differ, and what happened to each value. */
class World {
  readonly records: CausalRecord[] = Array.from({ length: replicas }, () => emptyRecord);
  readonly written = new Map<string, Written>();
  /** Values that a put had read. */
  readonly replaced = new Set<string>();
  /** Values whose deadline some replica took as past. */
  readonly swept = new Set<string>();
  readonly #sweep: Sweep;
  #nowMs = 1_700_000_000_000;

  constructor(sweep: Sweep, clocks: readonly number[], taken: readonly Step[]) {
    this.#sweep = sweep;
    for (const step of taken) this.#take(step, clocks);
  }

  get merged(): CausalRecord {
    return this.records.reduce(mergeRecords);
  }

  #take(step: Step, clocks: readonly number[]): void {
    this.#nowMs += 1;
    if (step.kind === "wait") this.#nowMs += step.ms;
    else if (step.kind === "merge") {
      this.records[step.at] = mergeRecords(this.#at(step.at), this.#at(step.from));
    } else {
      const nowMs = this.#nowMs + (clocks[step.at] as number);
      if (step.kind === "put") this.#put(step, nowMs);
      else this.#sweepAt(step.at, nowMs);
    }
  }

  #put(step: Step & { readonly kind: "put" }, nowMs: number): void {
    const record = this.#at(step.at);
    const order = this.written.size + 1;
    const name = `v${order}`;
    const deadlineMs = step.ttlMs === undefined ? undefined : nowMs + step.ttlMs;
    this.written.set(name, { deadlineMs, order });
    if (step.reads) for (const seen of namesIn(record)) this.replaced.add(seen);
    const dot: Dot = { actor: actorNamed(step.at), counter: order };
    const applied = applyPut(record, {
      value: utf8(name),
      contentType: "",
      writtenAt: { wallMs: 1_700_000_000_000 + order, logical: 0 },
      writeId: step.hasId ? writeIdNamed(order) : undefined,
      context: step.reads ? contextOf(record) : undefined,
      expiresAtMs: deadlineMs,
      mint: () => dot,
    });
    if (!applied.ok) throw new Error(applied.code);
    this.records[step.at] = applied.record;
  }

  #sweepAt(place: number, nowMs: number): void {
    const record = this.#at(place);
    const expired = record.siblings.filter(
      (sibling) => !isSpent(sibling) && (sibling.expiresAtMs ?? Infinity) <= nowMs,
    );
    for (const name of namesIn({ ...record, siblings: expired })) this.swept.add(name);
    this.records[place] = this.#sweep(record, nowMs);
  }

  #at(place: number): CausalRecord {
    return this.records[place] as CausalRecord;
  }
}

const clocks = fc.tuple(fc.nat(400), fc.nat(400), fc.nat(400));

function bytesOf(record: CausalRecord): string {
  return hex(encodeRecord(key, record));
}

function takesJustWhatExpired(
  sweep: Sweep,
): fc.IPropertyWithHooks<[[number, number, number], readonly Step[]]> {
  return fc.property(clocks, steps, (differing, taken) => {
    const world = new World(sweep, differing, taken);
    const held = namesIn(world.merged).filter((name) => name !== "");
    for (const [name, { deadlineMs }] of world.written) {
      const isGone = world.replaced.has(name) || world.swept.has(name);
      if (isGone) expect(held).not.toContain(name);
      else expect(held).toContain(name);
      if (deadlineMs === undefined) expect(world.swept.has(name)).toBe(false);
    }
  });
}

/** What others have done, and what looks right. */
const wrong: readonly (readonly [string, Sweep])[] = [
  [
    "drops the whole record when one of its values has expired",
    (record, nowMs) =>
      dropExpired(record, nowMs) === record ? record : { ...record, siblings: [] },
  ],
  [
    "forgets the record and its clock when nothing is left of it",
    (record, nowMs) => {
      const rest = dropExpired(record, nowMs);
      return rest !== record && rest.siblings.length === 0 ? emptyRecord : rest;
    },
  ],
  [
    "forgets of the clock what it drops",
    (record, nowMs) => {
      const rest = dropExpired(record, nowMs);
      const dots = rest.siblings.flatMap((sibling) => sibling.dots);
      return rest === record ? record : { ...rest, clock: VersionVector.of(dots) };
    },
  ],
  ["drops the value a little before its time", (record, nowMs) => dropExpired(record, nowMs + 100)],
];

describe("an expiry that", () => {
  it.each(wrong)("%s is found out", (_, sweep) => {
    expect(fc.check(takesJustWhatExpired(sweep), { numRuns: 2000 }).failed).toBe(true);
  });
});

describe.each([
  ["dropped", dropExpired],
  ["spent", spendExpired],
] as const)("what expires is %s", (form, sweep) => {
  it("and nothing else is lost, and it never comes back", () => {
    fc.assert(takesJustWhatExpired(sweep), { numRuns: 1000 });
  });

  it("and replicas converge, whatever the order of merging", () => {
    fc.assert(
      fc.property(clocks, steps, (differing, taken) => {
        const [a, b, c] = new World(sweep, differing, taken).records as [
          CausalRecord,
          CausalRecord,
          CausalRecord,
        ];
        const one = bytesOf(mergeRecords(mergeRecords(a, b), c));
        expect(bytesOf(mergeRecords(c, mergeRecords(b, a)))).toBe(one);
        expect(bytesOf(mergeRecords(mergeRecords(a, c), b))).toBe(one);
        const decoded = decodeRecord(encodeRecord(key, mergeRecords(mergeRecords(a, b), c)));
        expect(decoded.ok && bytesOf(decoded.record)).toBe(one);
      }),
      { numRuns: 1000 },
    );
  });

  it("and the bytes say when the next of it is due", () => {
    fc.assert(
      fc.property(clocks, steps, (differing, taken) => {
        for (const record of new World(sweep, differing, taken).records) {
          const deadlineMs = recordDeadlineMs(encodeRecord(key, record));
          expect(deadlineMs).toBe(nextDeadlineMs(record));
          if (deadlineMs === undefined || deadlineMs === "empty") continue;
          expect(sweep(record, deadlineMs - 1)).toBe(record);
          expect(nextDeadlineMs(sweep(record, deadlineMs))).not.toBe(deadlineMs);
        }
      }),
      { numRuns: form === "spent" ? 500 : 1000 },
    );
  });
});

describe("in an lww bucket", () => {
  it("the latest hides all older ones, alive or expired, wherever it expired first", () => {
    const blind = steps.map((taken) =>
      taken.map((step) => (step.kind === "put" ? { ...step, reads: false } : step)),
    );
    fc.assert(
      fc.property(clocks, blind, (differing, taken) => {
        const world = new World(spendExpired, differing, taken);
        const latest = latestSibling(world.merged.siblings);
        const [name] = [...world.written.keys()].slice(-1);
        expect(latest === undefined).toBe(name === undefined);
        if (latest === undefined || name === undefined) return;
        const [shown] = namesIn({ ...emptyRecord, siblings: [latest] });
        expect(shown).toBe(world.swept.has(name) ? "" : name);
      }),
      { numRuns: 1000 },
    );
  });
});
