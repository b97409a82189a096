import type { AskedChange, CommitOutcome, Topology, TopologyFailure } from "@coterie/cluster";
import type { ClusterDocument, NodeId } from "@coterie/core";
import type { SimCluster } from "./cluster.ts";
import type { Supervisor } from "./faults/supervisor.ts";
import type { SeededRandom } from "./random.ts";
import type { TopologyKnobs } from "./swarm-knobs.ts";

/** Between two changes, at most. */
const restMsMax = 4000;
/** Between two attempts to have one made. */
const retryMs = 300;
/** After which an operator gives up what the cluster does not do. */
const patienceMs = 30_000;
/** Within which a newcomer is heard of. */
const offerMs = 1500;
/** After which an operator thinks better of a change, or has it wait, at most. */
const regretMsMax = 3000;
/** For how long what moves is made to stand still, at most. */
const pauseMsMax = 5000;

export interface OperatorOptions {
  /** Two operators draw from streams of their own. */
  readonly name: string;
  /** The largest number of copies of any bucket. */
  readonly copies: number;
  /** Told before each change that it asks for. */
  readonly onChange: (through: NodeId) => void;
}

/**
 * Adds, takes away and replaces nodes while everything else goes on, through whatever node answers;
 * what a node has refused, or not answered, it asks of another one. Another operator may be at it
 * as well, and they know nothing of each other.
 */
export class Operator {
  /** Changes that were committed, and those that were given up again. */
  changes = 0;
  readonly #cluster: SimCluster;
  readonly #supervisor: Supervisor;
  readonly #random: SeededRandom;
  readonly #knobs: TopologyKnobs;
  readonly #copies: number;
  readonly #onChange: (through: NodeId) => void;
  #isOver = false;

  constructor(
    cluster: SimCluster,
    supervisor: Supervisor,
    knobs: TopologyKnobs,
    { name, copies, onChange }: OperatorOptions,
  ) {
    this.#cluster = cluster;
    this.#supervisor = supervisor;
    this.#knobs = knobs;
    this.#copies = copies;
    this.#onChange = onChange;
    this.#random = cluster.world.random.fork(name);
  }

  async run(): Promise<void> {
    if (this.#knobs.burns === true) await this.#replaceDead();
    for (let change = 0; change < this.#knobs.changes && !this.#isOver; change += 1) {
      await this.#sleep(this.#random.below(restMsMax));
      await this.#changeOnce();
    }
  }

  /** Begins nothing more. */
  end(): void {
    this.#isOver = true;
  }

  async #changeOnce(): Promise<void> {
    const members = latest(this.#cluster)?.members ?? [];
    const staying = members.filter(({ departure }) => departure === undefined);
    const dice = this.#random.below(3);
    const leaver = staying[this.#random.below(Math.max(1, staying.length))]?.id;
    if (leaver === undefined) return;
    if (dice === 0 && staying.length > this.#copies) return this.#make({ leave: [leaver] });
    const newcomer = this.#newcomer();
    await this.#sleep(offerMs);
    if (dice < 2) return this.#make({ join: [newcomer] });
    return this.#make({ replace: [{ id: leaver, by: newcomer }] });
  }

  /** Has a change made, and now and then lets it wait, or thinks better of it. */
  async #make(change: AskedChange): Promise<void> {
    const isMade = await this.#ask(change);
    const { aborts = 0, pauses = 0 } = this.#knobs;
    if (pauses > 0 && isMade && this.#random.chance(pauses)) await this.#pause();
    if (aborts === 0 || !isMade || !this.#random.chance(aborts)) return;
    await this.#sleep(this.#random.below(regretMsMax));
    await this.#insist("abort", (topology) => topology.abort());
  }

  /** Has what moves stand still for a while; and go on, whoever else has failed meanwhile. */
  async #pause(): Promise<void> {
    await this.#sleep(this.#random.below(regretMsMax));
    await this.#insist("pause", (topology) => topology.pause(true));
    await this.#sleep(this.#random.below(pauseMsMax));
    await this.#insist(
      "resume",
      (topology) => topology.pause(false),
      () => false,
    );
  }

  /** A machine burns down: what was on it is gone. */
  async #replaceDead(): Promise<void> {
    await this.#sleep(this.#random.below(restMsMax));
    const { ids } = this.#cluster;
    const dead = ids[this.#random.below(ids.length)] as NodeId;
    this.#cluster.retire(dead);
    const newcomer = this.#newcomer();
    await this.#sleep(offerMs);
    await this.#ask({ join: [newcomer], remove: [dead] }, () => false);
  }

  #newcomer(): NodeId {
    const id = this.#cluster.nextId();
    this.#cluster.addPlace(id);
    this.#supervisor.start(id);
    return id;
  }

  #ask(change: AskedChange, mayGiveUp?: () => boolean): Promise<boolean> {
    const what = JSON.stringify(change);
    return this.#insist(
      what,
      (topology, through) => {
        const planned = topology.plan(change);
        if (!planned.ok) return planned;
        this.#onChange(through);
        return topology.commit({ hash: planned.plan.hash });
      },
      mayGiveUp,
    );
  }

  /** Asks one node after the other. True once one has done it. */
  async #insist(
    what: string,
    ask: (topology: Topology, through: NodeId) => Promise<CommitOutcome> | TopologyFailure,
    mayGiveUp = (): boolean => this.#isOver,
  ): Promise<boolean> {
    const { world } = this.#cluster;
    const until = world.nowMs + patienceMs;
    while (!mayGiveUp() && world.nowMs < until) {
      const through = this.#cluster.ids[this.#random.below(this.#cluster.ids.length)] as NodeId;
      const outcome = await this.#cluster.ask(through, async (node) => {
        const topology = node.topology();
        return topology === undefined ? undefined : ask(topology, through);
      });
      world.trace(`operator: ${what} through ${through}: ${said(outcome)}`);
      if (outcome?.ok === true) {
        this.changes += 1;
        return true;
      }
      await this.#sleep(retryMs);
    }
    return false;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#cluster.world.schedule(ms, resolve);
    });
  }
}

function said(outcome: { readonly ok: boolean; readonly message?: string } | undefined): string {
  if (outcome === undefined) return "no answer";
  return outcome.ok ? "done" : (outcome.message ?? "refused");
}

/** Ends newcomers that nobody has made members: they would wait for ever. */
export function dismissNewcomers(cluster: SimCluster): void {
  const members = new Set(latest(cluster)?.members.map(({ id }) => id));
  for (const id of cluster.ids) if (!members.has(id)) cluster.retire(id);
}

/**
 * Has what moves go on, where it stands still: a pause that no operator was told of may have come
 * after it was taken back. `undefined` where nothing stands still.
 */
export function resumeMoves(cluster: SimCluster): Promise<unknown> | undefined {
  const through = cluster.ids.find((id) => cluster.isUp(id));
  if (through === undefined || latest(cluster)?.paused !== true) return undefined;
  return cluster.ask(through, async (node) => node.topology()?.pause(false));
}

/** The latest version that a live node goes by. */
export function latest(cluster: SimCluster): ClusterDocument | undefined {
  const documents = cluster.ids.flatMap((id) => cluster.node(id)?.document() ?? []);
  return documents.toSorted((one, other) => other.epoch - one.epoch)[0];
}
