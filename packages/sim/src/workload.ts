import type { Acks, CoterieNode, GetOutcome, ReplicaAnswer } from "@coterie/cluster";
import {
  ContextSeal,
  type Key,
  type NodeId,
  Ring,
  decodeContext,
  hex,
  invariant,
} from "@coterie/core";
import { type SimCluster, contextKey } from "./cluster.ts";
import { type ContendedKey, contendedKeys } from "./contended-key.ts";
import { faultKinds } from "./faults/kinds.ts";
import { wallOffsetMsMax } from "./faults/strikes.ts";
import { type BucketPromises, type FinalState, History } from "./history.ts";
import { Lifetimes } from "./lifetimes.ts";
import type { SeededRandom } from "./random.ts";
import type { SwarmKnobs } from "./swarm-knobs.ts";
import { numberOf, valueOf } from "./value.ts";

/** After which a client takes no answer for an answer. */
const patienceMs = 4000;
/** Within which a node refills a record that it has found damaged. */
const refillMs = 3000;

/** What clients tell whoever breaks things. */
export interface WorkloadWatcher {
  noteOperation(index: number): void;
  noteAck(): void;
  /** Nodes have answered that are no owners, and no others. */
  noteGuestAck(): void;
  /** A client has read what nobody was told is durable. */
  noteEarlyRead(): void;
}

/** One operation of a client: its number, from 1, and what it draws from. */
export interface Operation {
  readonly number: number;
  readonly random: SeededRandom;
}

/**
 * Clients on a few contended keys; everything they did and saw goes into a {@link History}. Each
 * operation draws from a stream of its own.
 */
export class Workload {
  readonly history: History;
  readonly cluster: SimCluster;
  readonly knobs: SwarmKnobs;
  readonly watcher: WorkloadWatcher;
  readonly keys: readonly ContendedKey[];
  readonly #random: SeededRandom;
  /** Questions that nodes have not answered, and since when. */
  readonly #open = new Map<number, { readonly node: CoterieNode; readonly sinceMs: number }>();
  readonly #values: Uint8Array[] = [];
  readonly #kept: ReadonlySet<number> | undefined;
  readonly #keyNames: ReadonlySet<string>;
  /** Requests that succeeded and in which fallbacks took part. */
  stoodIn = 0;
  #asked = 0;
  /** The operation that was issued or left out last. */
  #last = 0;
  #issued = 0;
  #lullEndMs: number | undefined;

  constructor(cluster: SimCluster, knobs: SwarmKnobs, watcher: WorkloadWatcher) {
    this.cluster = cluster;
    this.knobs = knobs;
    this.watcher = watcher;
    this.#random = cluster.world.random.fork("workload");
    this.#kept = knobs.kept === undefined ? undefined : new Set(knobs.kept);
    const promises = knobs.buckets.map(({ name, policy, n, r, w }): [string, BucketPromises] => [
      name,
      { policy, n, r, w },
    ]);
    const { driftPerMillionMax, keepExpiredMs } = knobs;
    const jumpMsMax = knobs.faults["clock-jump"] === undefined ? 0 : wallOffsetMsMax;
    this.history = new History(
      new Map(promises),
      new Lifetimes({ jumpMsMax, driftPerMillionMax, keepExpiredMs }),
    );
    this.history.reapedAfterMs = knobs.reaping?.graceMs;
    const losesDisk = knobs.topology?.burns === true;
    const losesByFault = faultKinds.some((kind) => {
      return kind.losesCopies && knobs.faults[kind.name] !== undefined;
    });
    this.history.losesCopies = losesDisk || losesByFault;
    this.keys = contendedKeys(knobs);
    this.#keyNames = new Set(this.keys.map(({ name }) => name));
  }

  get issued(): number {
    return this.#issued;
  }

  /** True if it is the name of a key that clients read and write. */
  isContended(name: string): boolean {
    return this.#keyNames.has(name);
  }

  /** The next operation; `undefined` when there are no more. */
  nextOperation(): Operation | undefined {
    do {
      if (this.#last >= this.knobs.operations) return undefined;
      this.#last += 1;
      this.watcher.noteOperation(this.#last);
    } while (this.#kept?.has(this.#last) === false);
    this.#issued += 1;
    return { number: this.#last, random: this.#random.fork(String(this.#last)) };
  }

  /**
   * Halfway, where tombstones are reaped, clients rest for as long as that takes: what comes after
   * may meet what was forgotten.
   */
  async lull(): Promise<void> {
    const { operations, reaping } = this.knobs;
    if (reaping === undefined || this.#last < operations / 2) return;
    const { nowMs } = this.cluster.world;
    this.#lullEndMs ??= nowMs + reaping.lullMs;
    if (nowMs < this.#lullEndMs) await this.sleep(this.#lullEndMs - nowMs);
  }

  /** Asks a node; `undefined` if it is down, crashes before it answers, or is silent for long. */
  ask<Answer>(
    id: NodeId,
    story: (node: CoterieNode) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const node = this.cluster.node(id);
    // A client's connection to a dead node is refused; to a paused one it hangs.
    if (node === undefined) return Promise.resolve(undefined);
    const { world } = this.cluster;
    this.#asked += 1;
    const question = this.#asked;
    this.#open.set(question, { node, sinceMs: world.nowMs });
    return new Promise((resolve) => {
      const cancel = world.schedule(patienceMs, () => resolve(undefined));
      this.cluster.whenRunning(id, () => {
        void this.cluster.ask(id, story).then((answer) => {
          this.#open.delete(question);
          cancel();
          resolve(answer);
        });
      });
    });
  }

  /** Questions that live nodes have not answered although they came before `sinceMs`. */
  hanging(sinceMs: number): number {
    let count = 0;
    for (const { node, sinceMs: since } of this.#open.values()) {
      if (since < sinceMs && this.cluster.node(node.id) === node) count += 1;
    }
    return count;
  }

  /**
   * Primaries that will hold what so many have acknowledged: where one of them may lose it, and
   * would fetch it from the others, not if it was the only one.
   */
  holdersOf(acks: Acks, isStrict: boolean): number {
    const { primaries, fallbacks } = acks;
    if (fallbacks > 0) this.stoodIn += 1;
    if (primaries === 0) this.watcher.noteGuestAck();
    return this.history.losesCopies && primaries < 2 ? 0 : this.meeting(acks, isStrict);
  }

  /**
   * Primaries of a reply that others are sure to meet by their number. Where owners change, those
   * of sloppy requests may be the former ones, or not yet all that are to come.
   */
  meeting({ primaries }: Acks, isStrict: boolean): number {
    return isStrict || this.knobs.topology === undefined ? primaries : 0;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.cluster.world.schedule(ms, resolve);
    });
  }

  /** The value of the next write. */
  newValue(number: number, bytes: number): Uint8Array {
    const value = valueOf(number, bytes);
    this.#values[number] = value;
    return value;
  }

  numbersOf(siblings: readonly { readonly value: Uint8Array }[]): readonly number[] {
    return siblings.map(({ value }) => numberOf(value, (number) => this.#values[number]));
  }

  /**
   * Reads every key from all replicas, which repairs what differs, and then each owner's own copy.
   */
  async finalState(): Promise<readonly FinalState[]> {
    const through = this.cluster.ids[0] as NodeId;
    const reads = this.keys.map((key) => this.#finalRead(through, key));
    const final: { key: ContendedKey; values: readonly number[] }[] = [];
    for (const [index, read] of reads.entries()) {
      const values = await read;
      invariant(values !== undefined, "after healing every key can be read from all replicas");
      final.push({ key: this.keys[index] as ContendedKey, values });
    }
    // A read at r = n answers once one replica holds the merged record; the others follow.
    await this.sleep(2000);
    const ring = this.#ring();
    const states: FinalState[] = [];
    for (const { key, values } of final) {
      states.push({ key: key.name, values, copies: await this.#metCopiesOf(ring, key) });
    }
    return states;
  }

  /** Each owner's own copy of every key, which nobody reads for that. */
  async ownCopies(): Promise<readonly Omit<FinalState, "values">[]> {
    const ring = this.#ring();
    const states: Omit<FinalState, "values">[] = [];
    const areCompared = this.knobs.antiEntropy.intervalMs > 0;
    const areReaped = this.knobs.reaping !== undefined;
    for (const key of this.keys) {
      const isLoose = !areCompared && (areReaped || key.bucket.policy === "lww");
      states.push({ key: key.name, copies: await this.#copiesOf(ring, key, isLoose) });
    }
    return states;
  }

  /**
   * `undefined` if there is no answer. It does not throw: keys are read together, and of a second
   * one that fails nobody would hear but the next run of the process.
   */
  async #finalRead(through: NodeId, key: ContendedKey): Promise<readonly number[] | undefined> {
    let outcome: GetOutcome | undefined;
    // Damage that nobody had met is met by this read, and refilled after it.
    for (let attempt = 0; attempt < 3 && outcome?.ok !== true; attempt += 1) {
      if (attempt > 0) await this.sleep(refillMs);
      outcome = await this.ask(through, (node) =>
        node.get(key.place, { r: key.bucket.n, strict: true, timeoutMs: 3000 }),
      );
    }
    return outcome?.ok === true ? this.numbersOf(outcome.siblings) : undefined;
  }

  /** As they are once damage that nobody had met, and these reads meet, is refilled. */
  async #metCopiesOf(ring: Ring, key: ContendedKey): Promise<Map<string, string>> {
    const copies = await this.#copiesOf(ring, key);
    if (![...copies.values()].includes("unknown")) return copies;
    await this.sleep(refillMs);
    return this.#copiesOf(ring, key);
  }

  async #copiesOf(ring: Ring, key: ContendedKey, isLoose = false): Promise<Map<string, string>> {
    const copies = new Map<string, string>();
    for (const id of ownersOf(ring, key)) {
      const own = await this.ask(id, (node) => node.readReplica(key.place));
      if (own === undefined) copies.set(id, "gone");
      else copies.set(id, this.#nameOfCopy(own, key, isLoose));
    }
    return copies;
  }

  /**
   * Tells copies apart; but where tombstones are reaped, not a tombstone from nothing, as one
   * replica may have reaped what another one is about to. What is spent is one too. So it is with
   * what of a clock is cut.
   */
  #nameOfCopy(copy: ReplicaAnswer, { place }: ContendedKey, isLoose: boolean): string {
    if (copy.state !== "present") return copy.state;
    const holdsNothing = copy.siblings.every(({ expiresAtMs }) => expiresAtMs === 0);
    if (this.knobs.reaping !== undefined && holdsNothing) return "absent";
    const isCut = this.cluster.cutSinceMs !== Infinity;
    if (isLoose) {
      const needed = isCut ? { ...copy, clock: neededOf(copy) } : copy;
      return looseNameOf(needed, place, this.knobs.reaping !== undefined);
    }
    return isCut ? nameWhenCut(copy) : copy.digest;
  }

  #ring(): Ring {
    const document = this.cluster.node(this.cluster.ids[0] as NodeId)?.document();
    invariant(document !== undefined, "after healing the cluster's document is known");
    return new Ring(document);
  }
}

type HeldCopy = ReplicaAnswer & { readonly state: "present" };

/** Those entries of a copy's clock that stay when it is cut. */
function neededOf({ clock, siblings }: HeldCopy): readonly string[] {
  const actors = new Set(siblings.flatMap(({ dots }) => dots.map(({ actor }) => `${actor}:`)));
  return clock.filter((entry) => actors.has(entry.slice(0, entry.indexOf(":") + 1)));
}

/** All of a copy but those entries of its clock that go when it is cut. */
function nameWhenCut(copy: HeldCopy): string {
  return JSON.stringify({
    needed: neededOf(copy),
    siblings: copy.siblings.map((sibling) => ({ ...sibling, value: hex(sibling.value) })),
  });
}

function ownersOf(ring: Ring, { place, bucket }: ContendedKey): readonly NodeId[] {
  const settings = ring.bucket(bucket.name);
  invariant(settings !== undefined, "the workload's buckets are the cluster's");
  return ring.plan(place, settings).primaries.map(({ id }) => id);
}

/**
 * All of a copy but times. In an `lww` bucket copies that were merged in another order may differ
 * in when a retried write was written of which one dot was overwritten unread; merged with each
 * other they agree on it, which nothing does where copies are not compared. And where tombstones
 * are reaped, what is written in just that moment meets one at some owners and none at others: the
 * former go on remembering the writes that it did.
 */
function looseNameOf(copy: HeldCopy, key: Key, areReaped: boolean): string {
  const { clock, context = "", siblings } = copy;
  const read = decodeContext(context, key, new ContextSeal(contextKey));
  const ids = read.ok ? read.context.writes.toArray().map(({ writeId }) => writeId) : [];
  const values = siblings.map(({ dots, value, contentType }) => ({
    dots,
    value: hex(value),
    contentType,
  }));
  return JSON.stringify({ clock, writes: areReaped ? [] : ids, values });
}
