import type { NodeId } from "@coterie/core";
import type { SimCluster } from "../cluster.ts";
import { type ContendedKey, contendedKeys } from "../contended-key.ts";
import type { SeededRandom } from "../random.ts";
import type { SwarmKnobs } from "../swarm-knobs.ts";
import type { Battlefield } from "./battlefield.ts";
import { type FaultKind, fenceKinds } from "./kinds.ts";
import { strikes } from "./strikes.ts";
import { Supervisor } from "./supervisor.ts";

/** How often a strike that found no target is tried again, and how long it waits. */
const attemptsMax = 15;
const retryMs = 100;

interface Plan {
  readonly kind: FaultKind;
  readonly random: SeededRandom;
  /** At which operations it strikes, the last one first. */
  readonly at: number[];
}

/**
 * What goes wrong during a run. Each kind strikes at operations drawn in advance, from a stream of
 * its own: without one kind, or with fewer operations, the others strike as before.
 */
export class Faults implements Battlefield {
  readonly cluster: SimCluster;
  readonly supervisor: Supervisor;
  readonly counts: Map<FaultKind, number> = new Map();
  /** Nodes whose directories have lost something that they had acknowledged, and do not know it. */
  readonly forgetful: Map<NodeId, number> = new Map();
  readonly bereft: Set<NodeId> = new Set();
  readonly keys: readonly ContendedKey[];
  readonly lullMs: number | undefined;
  readonly #plans: readonly Plan[];
  readonly #mends = new Set<() => void>();
  #onAck: (() => void)[] = [];
  #onGuestAck: (() => void)[] = [];
  #onEarlyRead: (() => void)[] = [];
  #onReap: (() => void)[] = [];
  #onChange: ((through: NodeId) => void)[] = [];
  readonly #lullAt: number;
  #isLull = false;
  #onLull: (() => void)[] = [];
  #isOver = false;

  constructor(cluster: SimCluster, knobs: SwarmKnobs) {
    this.cluster = cluster;
    this.keys = contendedKeys(knobs);
    this.lullMs = knobs.reaping?.lullMs;
    this.#lullAt = knobs.operations / 2;
    this.supervisor = new Supervisor(cluster);
    const { random } = cluster.world;
    this.#plans = Object.entries(knobs.faults).map(([kind, count]) => {
      const own = random.fork(`faults/${kind}`);
      const name = kind as FaultKind;
      const at = Array.from({ length: count }, () => strikesAt(name, own, knobs.operations));
      return { kind: name, random: own, at: at.toSorted((a, b) => b - a) };
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Clients begin their `index`th operation. */
  noteOperation(index: number): void {
    if (index >= this.#lullAt) this.#noteLull();
    for (const { kind, random, at } of this.#plans) {
      while ((at.at(-1) ?? Number.POSITIVE_INFINITY) <= index) {
        at.pop();
        this.cluster.world.schedule(random.below(50), () => this.#strike(kind, random, 0));
      }
    }
  }

  /** A client has just been told that its write is durable. */
  noteAck(): void {
    const waiting = this.#onAck;
    this.#onAck = [];
    for (const each of waiting) each();
  }

  onNextAck(run: () => void): void {
    this.#onAck.push(run);
  }

  /** A client has just been told that its write is durable, by nodes that do not own its key. */
  noteGuestAck(): void {
    const waiting = this.#onGuestAck;
    this.#onGuestAck = [];
    for (const each of waiting) each();
  }

  onNextGuestAck(run: () => void): void {
    this.#onGuestAck.push(run);
  }

  /** A client has just been told of a write before the client that wrote it was. */
  noteEarlyRead(): void {
    const waiting = this.#onEarlyRead;
    this.#onEarlyRead = [];
    for (const each of waiting) each();
  }

  onNextEarlyRead(run: () => void): void {
    this.#onEarlyRead.push(run);
  }

  /** A node has just told another one to forget what all have confirmed. */
  noteReap(): void {
    const waiting = this.#onReap;
    this.#onReap = [];
    for (const each of waiting) each();
  }

  onNextReap(run: () => void): void {
    this.#onReap.push(run);
  }

  /** An operator is about to ask for a change of members. */
  noteChange(through: NodeId): void {
    this.#onChange.shift()?.(through);
  }

  onNextChange(run: (through: NodeId) => void): void {
    this.#onChange.push(run);
  }

  onLull(run: () => void): void {
    if (this.#isLull) run();
    else this.#onLull.push(run);
  }

  mendAfter(ms: number, mend: () => void): void {
    const once = (): void => {
      if (this.#mends.delete(once)) mend();
    };
    this.#mends.add(once);
    this.cluster.world.schedule(ms, once);
  }

  /** Mends everything and starts what is down; from now on nothing goes wrong. */
  heal(): void {
    const { cluster } = this;
    cluster.world.trace("everything is healed");
    this.#isOver = true;
    this.#onAck = [];
    this.#onGuestAck = [];
    this.#onEarlyRead = [];
    this.#onReap = [];
    this.#onChange = [];
    this.#onLull = [];
    for (const mend of this.#mends) mend();
    cluster.network.heal();
    for (const id of cluster.ids) {
      cluster.resume(id);
      cluster.setWall(id, 0);
      this.supervisor.start(id);
    }
  }

  /** Clients have come to the middle of their operations. */
  #noteLull(): void {
    this.#isLull = true;
    const waiting = this.#onLull;
    this.#onLull = [];
    for (const each of waiting) each();
  }

  #strike(kind: FaultKind, random: SeededRandom, attempt: number): void {
    if (this.#isOver) return;
    if (strikes[kind](this, random)) {
      this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    } else if (attempt < attemptsMax) {
      this.cluster.world.schedule(retryMs, () => this.#strike(kind, random, attempt + 1));
    }
  }
}

/** At which operation a fault strikes, of so many. */
function strikesAt(kind: FaultKind, random: SeededRandom, operations: number): number {
  if (!fenceKinds.has(kind)) return 10 + random.below(operations);
  // Clocks wear for as long as there is time; what echoes is what was said just before the rest.
  const eighth = Math.ceil(operations / 8);
  return (kind === "wear" ? 10 : eighth * 2) + random.below(eighth);
}
