import { DeadWrites } from "../../src/causality/dead-writes.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ActorId,
  type CausalContext,
  type CausalRecord,
  VersionVector,
  applyDelete,
  applyPut,
  contextOf,
  cutClock,
  emptyRecord,
  encodeRecord,
  isRecordWide,
  isWide,
  mergeRecords,
  parseWriteId,
  utf8,
} from "../../src/index.ts";
import { reachableRecord } from "./arbitraries.ts";
import { namesIn } from "./history.ts";

const replicaCount = 3;
const at = fc.nat(replicaCount - 1);

/** What happens to the copies of one key. Indices are taken modulo what there is. */
type Step =
  | { readonly kind: "put"; readonly at: number; readonly context: number | undefined }
  | { readonly kind: "delete"; readonly at: number; readonly context: number }
  | { readonly kind: "read" | "send" | "restart"; readonly at: number }
  | { readonly kind: "deliver"; readonly at: number; readonly message: number }
  /** A round in which of the owners those by these bits come to cut. */
  | { readonly kind: "round"; readonly cutters: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      at,
      context: fc.option(fc.nat(), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("delete" as const), at, context: fc.nat() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("read" as const), at }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("send" as const), at }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("deliver" as const), at, message: fc.nat() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("restart" as const), at }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("round" as const), cutters: fc.nat(7) }) },
);
const steps = fc.array(step, { maxLength: 60, size: "max" });

interface Rules {
  /** False: nothing is ever cut, and all else is the same. */
  readonly cuts: boolean;
  /** False: also what not all owners hold alike is cut. */
  readonly hasEvidence: boolean;
  /** False: what was read before a round is merged after it all the same. */
  readonly hasFence: boolean;
}

const sound: Rules = { cuts: true, hasEvidence: true, hasFence: true };

class Replica {
  record: CausalRecord = emptyRecord;
  raised = 0;
  reaped = 0;
  actor: string;
  counter = 0;

  constructor(actor: string) {
    this.actor = actor;
  }
}

/** Owners of one key; dots and values depend on the steps alone, not on the rules. */
class Owners {
  readonly replicas = Array.from({ length: replicaCount }, (_, at) => new Replica(actorNamed(at)));
  readonly #rules: Rules;
  readonly #messages: { readonly record: CausalRecord; readonly fence: number }[] = [];
  readonly #contexts: CausalContext[] = [];
  #actors = replicaCount;
  #values = 0;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** Whether a round finds all copies the same: their values under their dots, and their clocks. */
  get areAlike(): boolean {
    const names = this.replicas.map(({ record }) => {
      return this.#rules.hasEvidence ? `${record.clock.toString()} ${nameOf(record)}` : "";
    });
    return new Set(names).size === 1;
  }

  take(each: Step, isConfirmed: boolean): void {
    if (each.kind === "round") return this.#round(each.cutters, isConfirmed);
    const replica = this.replicas[each.at] as Replica;
    switch (each.kind) {
      case "put":
        return this.#put(replica, chosen(this.#contexts, each.context));
      case "delete": {
        const context = chosen(this.#contexts, each.context);
        if (context !== undefined) replica.record = applyDelete(replica.record, context);
        return;
      }
      case "read":
        this.#contexts.push(contextOf(replica.record));
        return;
      case "send":
        this.#messages.push({ record: replica.record, fence: replica.raised });
        return;
      case "deliver": {
        const message = chosen(this.#messages, each.message);
        if (message === undefined || message.fence < replica.reaped) return;
        replica.record = mergeRecords(replica.record, message.record);
        return;
      }
      case "restart":
        replica.actor = actorNamed(this.#actors);
        replica.counter = 0;
        this.#actors += 1;
    }
  }

  #put(replica: Replica, context: CausalContext | undefined): void {
    this.#values += 1;
    const put = applyPut(replica.record, {
      value: utf8(`v${this.#values}`),
      contentType: "",
      writtenAt: { wallMs: this.#values, logical: 0 },
      writeId: undefined,
      context,
      mint: () => {
        replica.counter += 1;
        return { actor: replica.actor as ActorId, counter: replica.counter };
      },
    });
    if (put.ok) replica.record = put.record;
  }

  #round(cutters: number, isConfirmed: boolean): void {
    const fence = Math.max(...this.replicas.map(({ raised }) => raised)) + 1;
    for (const replica of this.replicas) replica.raised = fence;
    if (!isConfirmed) return;
    for (const [index, replica] of this.replicas.entries()) {
      if ((cutters & (1 << index)) === 0) continue;
      if (this.#rules.hasFence) replica.reaped = fence;
      if (this.#rules.cuts) replica.record = cutClock(replica.record);
    }
  }
}

function actorNamed(number: number): string {
  return number.toString(16).padStart(16, "0");
}

function chosen<Thing>(things: readonly Thing[], index: number | undefined): Thing | undefined {
  return index === undefined ? undefined : things[index % Math.max(1, things.length)];
}

function nameOf(record: CausalRecord): string {
  return namesIn(record).toSorted().join();
}

/** Whether all copies hold the same values after each step, cut or not. */
function isUnchangedBy(rules: Rules, taken: readonly Step[]): boolean {
  const cut = new Owners(rules);
  const whole = new Owners({ ...rules, cuts: false });
  return taken.every((each) => {
    // Where nothing is cut the fence is raised all the same: that is no difference.
    const isConfirmed = cut.areAlike;
    cut.take(each, isConfirmed);
    whole.take(each, isConfirmed);
    return cut.replicas.every(({ record }, index) => {
      return nameOf(record) === nameOf((whole.replicas[index] as Replica).record);
    });
  });
}

const property = (rules: Rules): fc.IProperty<[Step[]]> =>
  fc.property(steps, (taken) => isUnchangedBy(rules, taken));

describe("clocks cut by evidence, behind a fence", () => {
  it("change no value of any copy, whatever happens before and after", () => {
    fc.assert(property(sound), { numRuns: 2000 });
  });

  it.each([
    ["what some owner does not hold alike is cut", { ...sound, hasEvidence: false }],
    ["what was read before is merged after it", { ...sound, hasFence: false }],
  ])("change some if %s", (_, rules) => {
    expect(fc.check(property(rules), { numRuns: 20_000, seed: 1 }).failed).toBe(true);
  });
});

describe("a cut record", () => {
  it("keeps its values and its write ids, and claims no more than before", () => {
    fc.assert(
      fc.property(reachableRecord, (record) => {
        const cut = cutClock(record);
        expect(cut.siblings).toBe(record.siblings);
        expect(cut.deadWrites).toBe(record.deadWrites);
        expect(record.clock.descends(cut.clock)).toBe(true);
        for (const { dots } of cut.siblings) {
          for (const dot of dots) expect(cut.clock.covers(dot)).toBe(true);
        }
        expect(isWide(cut, 1)).toBe(false);
        expect(cutClock(cut)).toBe(cut);
        expect(mergeRecords(record, cut)).toBe(record);
      }),
    );
  });

  it("is as wide in its bytes as it is decoded", () => {
    fc.assert(
      fc.property(reachableRecord, fc.nat(4), (record, copies) => {
        const bytes = encodeRecord({ bucket: "default", key: utf8("k") }, record);
        expect(isRecordWide(bytes, copies)).toBe(isWide(record, copies));
      }),
    );
  });
});

describe("a record is wide", () => {
  const clockOf = (actors: number): VersionVector =>
    VersionVector.of(
      Array.from({ length: actors }, (_, index) => {
        return { actor: actorNamed(index) as ActorId, counter: 2 };
      }),
    );
  const sibling = {
    dots: [{ actor: actorNamed(0) as ActorId, counter: 1 }],
    value: utf8("v"),
    contentType: "",
    writtenAt: { wallMs: 1, logical: 0 },
    writeId: parseWriteId("00".repeat(16)),
    expiresAtMs: undefined,
  };

  it.each([
    { actors: 4, copies: 3, siblings: [sibling], wide: false },
    { actors: 5, copies: 3, siblings: [sibling], wide: true },
    { actors: 5, copies: 4, siblings: [sibling], wide: false },
    { actors: 3, copies: 1, siblings: [sibling], wide: true },
    // How many copies there are is not known.
    { actors: 9, copies: 0, siblings: [sibling], wide: false },
    // Tombstones, and what is spent, are forgotten as a whole.
    { actors: 9, copies: 1, siblings: [], wide: false },
    { actors: 9, copies: 1, siblings: [{ ...sibling, expiresAtMs: 0 }], wide: false },
  ])("with $actors actors and $copies copies: $wide", ({ actors, copies, siblings, wide }) => {
    expect(isWide({ clock: clockOf(actors), siblings, deadWrites: DeadWrites.none }, copies)).toBe(
      wide,
    );
  });
});
