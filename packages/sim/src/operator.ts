import type { AskedChange } from "@coterie/cluster";
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

/**
 * Adds, takes away and replaces nodes while everything else goes on, through whatever node answers;
 * what a node has refused, or not answered, it asks of another one.
 */
export class Operator {
  /** Changes that were committed. */
  changes = 0;
  readonly #cluster: SimCluster;
  readonly #supervisor: Supervisor;
  readonly #random: SeededRandom;
  readonly #knobs: TopologyKnobs;
  /** The largest number of copies of any bucket. */
  readonly #copies: number;
  #named: number;
  #isOver = false;

  constructor(
    cluster: SimCluster,
    supervisor: Supervisor,
    knobs: TopologyKnobs,
    { copies }: { readonly copies: number },
  ) {
    this.#cluster = cluster;
    this.#supervisor = supervisor;
    this.#knobs = knobs;
    this.#copies = copies;
    this.#named = cluster.ids.length;
    this.#random = cluster.world.random.fork("operator");
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

  /** Ends newcomers that nobody has made members: they would wait for ever. */
  dismiss(): void {
    const members = new Set(latest(this.#cluster)?.members.map(({ id }) => id));
    for (const id of this.#cluster.ids) if (!members.has(id)) this.#cluster.retire(id);
  }

  async #changeOnce(): Promise<void> {
    const members = latest(this.#cluster)?.members ?? [];
    const staying = members.filter(({ departure }) => departure === undefined);
    const dice = this.#random.below(3);
    const leaver = staying[this.#random.below(Math.max(1, staying.length))]?.id;
    if (leaver === undefined) return;
    if (dice === 0 && staying.length > this.#copies) return this.#ask({ leave: [leaver] });
    const newcomer = this.#newcomer();
    await this.#sleep(offerMs);
    if (dice < 2) return this.#ask({ join: [newcomer] });
    return this.#ask({ replace: [{ id: leaver, by: newcomer }] });
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
    this.#named += 1;
    const id = `n${this.#named}` as NodeId;
    this.#cluster.addPlace(id);
    this.#supervisor.start(id);
    return id;
  }

  async #ask(change: AskedChange, mayGiveUp = (): boolean => this.#isOver): Promise<void> {
    const { world } = this.#cluster;
    const until = world.nowMs + patienceMs;
    while (!mayGiveUp() && world.nowMs < until) {
      const through = this.#cluster.ids[this.#random.below(this.#cluster.ids.length)] as NodeId;
      const outcome = await this.#cluster.ask(through, async (node) => {
        const topology = node.topology();
        const planned = topology?.plan(change);
        if (topology === undefined || planned?.ok !== true) return planned;
        return topology.commit({ hash: planned.plan.hash });
      });
      world.trace(`operator: ${JSON.stringify(change)} through ${through}: ${said(outcome)}`);
      if (outcome?.ok === true) {
        this.changes += 1;
        return;
      }
      await this.#sleep(retryMs);
    }
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

/** The latest version that a live node goes by. */
export function latest(cluster: SimCluster): ClusterDocument | undefined {
  const documents = cluster.ids.flatMap((id) => cluster.node(id)?.document() ?? []);
  return documents.toSorted((one, other) => other.epoch - one.epoch)[0];
}
