import * as fc from "fast-check";
import {
  type CausalContext,
  type CausalRecord,
  type Dot,
  type WriteId,
  contextOf,
  decodeRecord,
  emptyRecord,
  encodeRecord,
  hex,
  utf8,
} from "../../src/index.ts";
import {
  type CausalImplementation,
  type Step,
  World,
  actorNamed,
  namesIn,
  patientHistory,
  promptHistory,
  writeIdNamed,
} from "./history.ts";

const key = { bucket: "default", key: utf8("k") };

/** The bytes of a record, as text: what equality of records means. */
function bytesOf(record: CausalRecord): string {
  return hex(encodeRecord(key, record));
}

/** The same record, sharing no object with `record`. */
export function copyOf(record: CausalRecord): CausalRecord {
  const decoded = decodeRecord(encodeRecord(key, record));
  if (!decoded.ok) throw new Error(`a record that cannot be read back: ${decoded.reason}`);
  return decoded.record;
}

/** A property that an implementation of causality has, or has not. */
export type Law = (implementation: CausalImplementation) => fc.IPropertyWithHooks<[unknown]>;

/** Throws, with `fact`, what does not hold. */
function must(condition: boolean, fact: string): void {
  if (!condition) throw new Error(fact);
}

type Check = (world: World, implementation: CausalImplementation) => void;

function overHistories(
  history: fc.Arbitrary<readonly Step[]>,
  check: Check,
  overwrites = false,
): Law {
  return (implementation) =>
    fc.property(history, (steps) => {
      check(new World(implementation, steps, overwrites), implementation);
    });
}

/** As in an `lww` bucket, where every put overwrites what it meets. */
function overOverwrites(check: Check): Law {
  return overHistories(promptHistory, check, true);
}

/** At most `count` of a world's records, from its beginning to its end. */
function some(world: World, count: number): readonly CausalRecord[] {
  const { reached } = world;
  const stride = Math.max(1, Math.floor(reached.length / count));
  return reached.filter((_, index) => (reached.length - 1 - index) % stride === 0).slice(-count);
}

function commutes(world: World, { merge }: CausalImplementation): void {
  const records = some(world, 6);
  for (const left of records) {
    for (const right of records) {
      must(bytesOf(merge(left, right)) === bytesOf(merge(right, left)), "order matters");
    }
  }
}

function associates(world: World, { merge }: CausalImplementation): void {
  const records = some(world, 4);
  for (const a of records) {
    for (const b of records) {
      for (const c of records) {
        must(bytesOf(merge(merge(a, b), c)) === bytesOf(merge(a, merge(b, c))), "grouping matters");
      }
    }
  }
}

function ignoresStale(world: World, { merge }: CausalImplementation): void {
  const records = some(world, 6);
  for (const left of records) {
    for (const right of records) {
      const merged = merge(left, right);
      for (const stale of [left, right]) {
        must(merge(merged, copyOf(stale)) === merged, "a covered record made a new one");
        must(bytesOf(merge(stale, merged)) === bytesOf(merged), "a stale record lost something");
      }
    }
  }
}

function mergedFinals(world: World, { merge }: CausalImplementation): CausalRecord {
  return world.finals.reduce(merge);
}

function losesNothing(world: World, implementation: CausalImplementation): void {
  const held = namesIn(mergedFinals(world, implementation));
  const covered = world.deleted();
  const dominated = new Set(held.flatMap((name) => [...world.pastOf(name)]));
  for (const name of world.writes.keys()) {
    must(held.includes(name) || dominated.has(name) || covered.has(name), `${name} is lost`);
  }
}

/** The order of puts is nobody's promise there; that one of them is left is. */
function leavesOne(world: World, implementation: CausalImplementation): void {
  if (world.writes.size === 0 || world.deleted().size > 0) return;
  must(mergedFinals(world, implementation).siblings.length > 0, "every write is lost");
}

function revivesNothing(world: World, implementation: CausalImplementation): void {
  const held = namesIn(mergedFinals(world, implementation));
  const dead = new Set(world.deleted());
  for (const name of world.writes.keys()) {
    for (const past of world.pastOf(name)) dead.add(past);
  }
  for (const name of held) must(!dead.has(name), `${name} is undead`);
}

function hasNoFalseSibling(world: World, implementation: CausalImplementation): void {
  for (const record of [...world.reached, mergedFinals(world, implementation)]) {
    const held = namesIn(record);
    for (const name of held) {
      const past = world.pastOf(name);
      for (const other of held) must(!past.has(other), `${other} is in the past of ${name}`);
    }
  }
}

function keepsOnePerWrite(world: World, implementation: CausalImplementation): void {
  for (const record of [...world.reached, mergedFinals(world, implementation)]) {
    const held = namesIn(record);
    must(new Set(held).size === held.length, "one write is there twice");
  }
}

function converges(world: World, { merge }: CausalImplementation): void {
  const [a, b, c] = world.finals as [CausalRecord, CausalRecord, CausalRecord];
  const orders = [
    [a, b, c],
    [a, c, b],
    [b, a, c],
    [b, c, a],
    [c, a, b],
    [c, b, a],
  ] as const;
  const results = orders.map(([first, second, third]) => merge(merge(first, second), third));
  const [settled = ""] = results.map((result) => bytesOf(results.reduce(merge, result)));
  for (const result of results) {
    must(bytesOf(results.reduce(merge, result)) === settled, "replicas stay apart");
  }
}

function grantsOnlyWhatWasRead(world: World): void {
  for (const { context, record, name } of world.grants) {
    const known = world.pastOf(name);
    for (const [index, sibling] of namesIn(record).entries()) {
      const dots = record.siblings[index]?.dots ?? [];
      const isCovered = dots.some((dot) => context.vector.covers(dot));
      must(!isCovered || sibling === name || known.has(sibling), `${sibling} was never read`);
    }
  }
}

/** A replica at which a law puts what it needs. */
class Coordinator {
  readonly #implementation: CausalImplementation;
  readonly #number: number;
  #counter = 0;
  record: CausalRecord = emptyRecord;
  /** Dots minted so far. */
  get minted(): number {
    return this.#counter;
  }

  constructor(implementation: CausalImplementation, number: number) {
    this.#implementation = implementation;
    this.#number = number;
  }

  put(name: string, context?: CausalContext, writeId?: WriteId): boolean {
    const applied = this.#implementation.put(this.record, {
      value: utf8(name),
      contentType: "",
      writtenAt: { wallMs: 1_700_000_000_000 + this.#counter, logical: this.#number },
      writeId,
      context,
      mint: (): Dot => {
        this.#counter += 1;
        return { actor: actorNamed(this.#number), counter: this.#counter };
      },
    });
    if (applied.ok) this.record = applied.record;
    return applied.ok;
  }

  delete(context: CausalContext): void {
    this.record = this.#implementation.delete(this.record, context);
  }

  /** What a client that reads here gets. */
  read(): CausalContext {
    return contextOf(this.record);
  }
}

const blindPuts: Law = (implementation) =>
  fc.property(fc.tuple(fc.integer({ min: 2, max: 8 }), fc.boolean()), ([count, hasIds]) => {
    const coordinator = new Coordinator(implementation, 1);
    for (let index = 0; index < count; index += 1) {
      coordinator.put(`v${index}`, undefined, hasIds ? writeIdNamed(index) : undefined);
    }
    must(coordinator.record.siblings.length === count, "a blind put replaced another");
    must(
      implementation.merge(coordinator.record, copyOf(coordinator.record)).siblings.length ===
        count,
      "a blind put is gone after a merge",
    );
  });

const oldContexts: Law = (implementation) =>
  fc.property(fc.tuple(fc.nat(3), fc.integer({ min: 2, max: 6 })), ([before, writers]) => {
    const coordinator = new Coordinator(implementation, 1);
    for (let index = 0; index < before; index += 1) coordinator.put(`old${index}`);
    const context = coordinator.read();
    const names = Array.from({ length: writers }, (_, index) => `new${index}`);
    for (const name of names) coordinator.put(name, context);
    const held = namesIn(coordinator.record).toSorted().join();
    must(held === names.join(), `held ${held} instead of ${names.join()}`);
  });

const repeatedPuts: Law = (implementation) =>
  fc.property(
    fc.tuple(fc.constantFrom("alive", "overwritten", "deleted"), fc.nat(3), fc.boolean()),
    ([fate, others, withContext]) => {
      const coordinator = new Coordinator(implementation, 1);
      for (let index = 0; index < others; index += 1) coordinator.put(`other${index}`);
      const basis = withContext ? coordinator.read() : undefined;
      const id = writeIdNamed(1);
      coordinator.put("x", basis, id);
      if (fate === "overwritten") coordinator.put("y", coordinator.read(), writeIdNamed(2));
      if (fate === "deleted") coordinator.delete(coordinator.read());
      const { record, minted } = coordinator;
      must(coordinator.put("x", basis, id), `a retry of a write that is ${fate} was refused`);
      must(coordinator.record === record, `a retry of a write that is ${fate} changed something`);
      must(coordinator.minted === minted, "a retry minted a dot");
    },
  );

/** x at a, overwritten or deleted at c by who read it at a; its retry at b; merged in any order. */
const lateRetries: Law = (implementation) =>
  fc.property(
    fc.tuple(
      fc.boolean(),
      fc.boolean(),
      fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
      fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: 6 }),
    ),
    ([isDelete, isRetriedFirst, order, merges]) => {
      const [a, b, c] = [1, 2, 3].map((number) => new Coordinator(implementation, number)) as [
        Coordinator,
        Coordinator,
        Coordinator,
      ];
      const id = writeIdNamed(1);
      a.put("x", undefined, id);
      if (isRetriedFirst) b.put("x", undefined, id);
      const seen = a.read();
      if (isDelete) c.delete(seen);
      else c.put("y", seen, writeIdNamed(2));
      if (!isRetriedFirst) b.put("x", undefined, id);
      const places = [a, b, c];
      for (const [from, into] of merges) {
        const target = places[into] as Coordinator;
        target.record = implementation.merge(target.record, (places[from] as Coordinator).record);
      }
      const merged = order
        .map((index) => (places[index] as Coordinator).record)
        .reduce(implementation.merge);
      const expected = isDelete ? "" : "y";
      must(namesIn(merged).join() === expected, `held ${namesIn(merged).join()}`);
    },
  );

/** The laws of section "Causality": every implementation must obey them all. */
export const laws = {
  "merge is commutative": overHistories(promptHistory, commutes),
  "merge is associative": overHistories(promptHistory, associates),
  "a stale record changes nothing": overHistories(promptHistory, ignoresStale),
  "replicas converge": overHistories(promptHistory, converges),
  "no write is lost": overHistories(promptHistory, losesNothing),
  "nothing overwritten or deleted returns": overHistories(promptHistory, revivesNothing),
  "no sibling has another in its past": overHistories(promptHistory, hasNoFalseSibling),
  "one write is one value": overHistories(promptHistory, keepsOnePerWrite),
  "a put's context covers nothing unread": overHistories(promptHistory, grantsOnlyWhatWasRead),
  "blind puts become siblings": blindPuts,
  "a put with an old context becomes a sibling": oldContexts,
  "a repeated put changes nothing": repeatedPuts,
  "a late retry never comes back": lateRetries,
} as const satisfies Record<string, Law>;

/** The laws that hold even after dead write ids were forgotten. */
export const patientLaws = {
  "merge is commutative": overHistories(patientHistory, commutes),
  "a stale record changes nothing": overHistories(patientHistory, ignoresStale),
  "replicas converge": overHistories(patientHistory, converges),
  "no write is lost": overHistories(patientHistory, losesNothing),
  "one write is one value": overHistories(patientHistory, keepsOnePerWrite),
  "a put's context covers nothing unread": overHistories(patientHistory, grantsOnlyWhatWasRead),
} as const satisfies Record<string, Law>;

/**
 * The laws that hold where puts overwrite what their clients have not read. The grouping of merges
 * may show there in one thing: when a retried write was written of which one dot is overwritten.
 */
export const overwritingLaws = {
  "merge is commutative": overOverwrites(commutes),
  "a stale record changes nothing": overOverwrites(ignoresStale),
  "replicas converge": overOverwrites(converges),
  "one of the writes is left": overOverwrites(leavesOne),
  "nothing overwritten or deleted returns": overOverwrites(revivesNothing),
  "one write is one value": overOverwrites(keepsOnePerWrite),
} as const satisfies Record<string, Law>;

export type LawName = keyof typeof laws;
