import * as fc from "fast-check";
import {
  type ActorId,
  type AppliedPut,
  type CausalContext,
  type CausalRecord,
  type Dot,
  type Put,
  type WriteId,
  contextOf,
  decodeUtf8,
  emptyRecord,
  utf8,
} from "../../src/index.ts";

/** What a causality implementation is made of: the laws judge it through nothing else. */
export interface CausalImplementation {
  readonly merge: (left: CausalRecord, right: CausalRecord) => CausalRecord;
  readonly put: (record: CausalRecord, put: Put) => AppliedPut;
  readonly delete: (record: CausalRecord, context: CausalContext) => CausalRecord;
  readonly contextAfterPut: (
    record: CausalRecord,
    written: { readonly dot: Dot | undefined; readonly writeId: WriteId | undefined },
  ) => CausalContext | undefined;
}

type Basis = "none" | "newest" | "oldest";

/** One thing that happens to one key. Indices are taken modulo what there is. */
export type Step =
  | {
      readonly kind: "put";
      readonly at: number;
      readonly client: number;
      readonly basis: Basis;
      readonly hasId: boolean;
    }
  | { readonly kind: "retry"; readonly at: number; readonly of: number }
  | {
      readonly kind: "delete";
      readonly at: number;
      readonly client: number;
      readonly basis: "newest" | "oldest";
    }
  | { readonly kind: "read"; readonly at: number; readonly client: number }
  | { readonly kind: "merge"; readonly from: number; readonly at: number }
  | { readonly kind: "restart"; readonly at: number }
  | { readonly kind: "wait"; readonly ms: number };

const replicaCount = 3;
const clientCount = 3;
/** A client stops retrying one minute after its first attempt. */
const retryMsMax = 60_000;

const at = fc.nat(replicaCount - 1);
const client = fc.nat(clientCount - 1);
const basis = fc.constantFrom<Basis>("none", "newest", "newest", "oldest");

const commonSteps: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      at,
      client,
      basis,
      hasId: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("retry" as const), at, of: fc.nat(9) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("delete" as const),
      at,
      client,
      basis: fc.constantFrom("newest" as const, "oldest" as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("read" as const), at, client }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("merge" as const), at, from: at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const), at }) },
];

/** Histories short enough that no dead write id is forgotten. */
export const promptHistory: fc.Arbitrary<readonly Step[]> = fc.array(fc.oneof(...commonSteps), {
  maxLength: 30,
  size: "max",
});

/** Histories with long silences, in which dead write ids are forgotten. */
export const patientHistory: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(...commonSteps, {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(150_000) }),
  }),
  { maxLength: 30, size: "max" },
);

/** What a client may base its next write on: a context, and the values it stands for. */
interface Knowledge {
  readonly context: CausalContext;
  readonly saw: ReadonlySet<string>;
}

interface Write {
  readonly name: string;
  readonly client: number;
  readonly sentAtMs: number;
  readonly basis: Knowledge | undefined;
  readonly writeId: WriteId | undefined;
}

/** A context that a put returned, with the record it was given for. */
export interface Grant {
  readonly context: CausalContext;
  readonly record: CausalRecord;
  readonly name: string;
}

/** The names of the values that a record holds. */
export function namesIn(record: CausalRecord): readonly string[] {
  return record.siblings.map(({ value }) => decodeUtf8(value) ?? "?");
}

/**
 * Replays a history on an implementation, and keeps what the laws need: what each client saw, in
 * values that were written, never in the store's own clocks.
 */
export class World {
  readonly #implementation: CausalImplementation;
  readonly #overwrites: boolean;
  readonly #replicas = Array.from({ length: replicaCount }, (_, index) => ({
    record: emptyRecord,
    actor: actorNamed(index),
    counter: 0,
  }));
  readonly #clients: Knowledge[][] = Array.from({ length: clientCount }, () => []);
  readonly #deletes: ReadonlySet<string>[] = [];
  #actors = replicaCount;
  #nowMs = 1_700_000_000_000;

  readonly writes = new Map<string, Write>();
  readonly reached: CausalRecord[] = [emptyRecord];
  readonly grants: Grant[] = [];

  /** @param overwrites that every put drops what it meets, as in an `lww` bucket. */
  constructor(implementation: CausalImplementation, steps: readonly Step[], overwrites = false) {
    this.#implementation = implementation;
    this.#overwrites = overwrites;
    for (const step of steps) this.#take(step);
  }

  /** The records that the replicas hold at the end. */
  get finals(): readonly CausalRecord[] {
    return this.#replicas.map(({ record }) => record);
  }

  /** The causal past of what was seen, by what clients saw: transitive, and including it. */
  past(saw: ReadonlySet<string>): ReadonlySet<string> {
    const past = new Set(saw);
    for (const name of past) {
      for (const seen of this.writes.get(name)?.basis?.saw ?? []) past.add(seen);
    }
    return past;
  }

  /** Everything in the causal past of this write, without itself. */
  pastOf(name: string): ReadonlySet<string> {
    return this.past(this.writes.get(name)?.basis?.saw ?? new Set());
  }

  /** Everything that some delete had seen. */
  deleted(): ReadonlySet<string> {
    return this.past(new Set(this.#deletes.flatMap((saw) => [...saw])));
  }

  #take(step: Step): void {
    this.#nowMs += 100;
    switch (step.kind) {
      case "put": {
        const name = `v${this.writes.size}`;
        this.#send(step.at, {
          name,
          client: step.client,
          sentAtMs: this.#nowMs,
          basis: this.#basis(step.client, step.basis),
          writeId: step.hasId ? writeIdNamed(this.writes.size) : undefined,
        });
        break;
      }
      case "retry":
        this.#retry(step.at, step.of);
        break;
      case "delete": {
        const known = this.#basis(step.client, step.basis);
        if (known === undefined) break;
        this.#deletes.push(known.saw);
        this.#hold(
          step.at,
          this.#implementation.delete(this.#replica(step.at).record, known.context),
        );
        break;
      }
      case "read": {
        const { record } = this.#replica(step.at);
        this.#learn(step.client, { context: contextOf(record), saw: new Set(namesIn(record)) });
        break;
      }
      case "merge": {
        const { record } = this.#replica(step.from);
        this.#hold(step.at, this.#implementation.merge(this.#replica(step.at).record, record));
        break;
      }
      case "restart":
        this.#actors += 1;
        Object.assign(this.#replica(step.at), { actor: actorNamed(this.#actors), counter: 0 });
        break;
      case "wait":
        this.#nowMs += step.ms;
        break;
    }
  }

  #retry(place: number, of: number): void {
    const candidates = [...this.writes.values()].filter(
      ({ writeId, sentAtMs }) => writeId !== undefined && this.#nowMs - sentAtMs <= retryMsMax,
    );
    const write = candidates[of % Math.max(1, candidates.length)];
    if (write !== undefined) this.#send(place, write);
  }

  #send(place: number, write: Write): void {
    const replica = this.#replica(place);
    const minted: Dot[] = [];
    const applied = this.#implementation.put(replica.record, {
      value: utf8(write.name),
      contentType: "",
      writtenAt: { wallMs: this.#nowMs + place, logical: 0 },
      writeId: write.writeId,
      context: write.basis?.context,
      overwrites: this.#overwrites,
      mint: () => {
        replica.counter += 1;
        minted.push({ actor: replica.actor, counter: replica.counter });
        return minted[0] as Dot;
      },
    });
    if (!applied.ok) return;
    this.writes.set(write.name, write);
    this.#hold(place, applied.record);
    const written = { dot: minted[0], writeId: write.writeId };
    const context = this.#implementation.contextAfterPut(applied.record, written);
    if (context === undefined) return;
    this.grants.push({ context, record: applied.record, name: write.name });
    this.#learn(write.client, { context, saw: new Set([write.name]) });
  }

  #basis(index: number, from: Basis): Knowledge | undefined {
    const known = this.#clients[index] ?? [];
    if (from === "none") return undefined;
    return from === "newest" ? known.at(-1) : known[0];
  }

  #learn(index: number, knowledge: Knowledge): void {
    this.#clients[index]?.push(knowledge);
  }

  #replica(index: number): { record: CausalRecord; actor: ActorId; counter: number } {
    return this.#replicas[index] as { record: CausalRecord; actor: ActorId; counter: number };
  }

  #hold(index: number, record: CausalRecord): void {
    this.#replica(index).record = record;
    this.reached.push(record);
  }
}

/** The actor of this number: their order is not the order of their numbers. */
export function actorNamed(index: number): ActorId {
  return `${((index * 7) % 16).toString(16)}${index.toString(16).padStart(15, "0")}` as ActorId;
}

/** The write id of this number. */
export function writeIdNamed(index: number): WriteId {
  return `${((index * 11) % 16).toString(16)}${index.toString(16).padStart(31, "0")}` as WriteId;
}
