import type { BucketChange, NodeId } from "@coterie/core";
import type { BucketOutcome } from "../../src/index.ts";
import { SeededRandom, type SimClusterOptions } from "@coterie/sim";
import { SmallCluster, address, node } from "../small-cluster.ts";

export interface StormReport {
  /** Changes that were acknowledged, and puts. */
  readonly changes: number;
  readonly puts: number;
  /** What must never be. */
  readonly problems: readonly string[];
}

interface Acknowledged {
  readonly change: BucketChange;
  readonly outcome: BucketOutcome & { readonly ok: true };
}

const names = ["a", "b", "c"];
const steps = 40;
/** Virtual time after which nothing may be left open. */
const calmMs = 120_000;

/**
 * Nodes that create and change buckets against each other while messages are lost, repeated and
 * late, the network splits, and nodes crash and return; then calm, and judgement.
 */
export async function storm(
  seed: number,
  planted: Pick<SimClusterOptions, "corrupt"> = {},
): Promise<StormReport> {
  return new Storm(seed, planted).toTheEnd();
}

class Storm {
  readonly #small: SmallCluster;
  readonly #random: SeededRandom;
  readonly #count: number;
  readonly #changes: Acknowledged[] = [];
  readonly #puts: { readonly bucket: string; readonly key: string }[] = [];
  readonly #problems: string[] = [];
  /** Per bucket, every policy that any node ever went by. */
  readonly #policies = new Map<string, Set<string>>();
  #writes = 0;

  constructor(seed: number, planted: Pick<SimClusterOptions, "corrupt">) {
    this.#random = new SeededRandom(seed).fork("storm");
    this.#count = 3 + this.#random.below(3);
    this.#small = new SmallCluster({ seed, nodes: this.#count, ...planted });
  }

  async toTheEnd(): Promise<StormReport> {
    const { cluster } = this.#small;
    await cluster.start();
    cluster.network.weather = {
      ...cluster.network.weather,
      lossPerThousand: 30,
      duplicatePerThousand: 100,
      latePerThousand: 50,
    };
    for (let step = 0; step < steps; step += 1) {
      this.#act();
      await this.#small.pass(this.#random.below(300) / 4);
      this.#look();
    }
    await this.#calm();
    await this.#judge();
    const { length: changes } = this.#changes;
    return { changes, puts: this.#puts.length, problems: this.#problems };
  }

  #act(): void {
    const number = 1 + this.#random.below(this.#count);
    const { cluster } = this.#small;
    switch (this.#random.below(10)) {
      case 0:
        if (cluster.isUp(node(number))) cluster.crash(node(number), this.#pick(["power", "kill"]));
        return;
      case 1:
      case 2:
        for (const id of cluster.ids) if (!cluster.isUp(id)) void this.#start(id);
        return;
      case 3:
        return this.#split();
      case 4:
        return cluster.network.heal();
      case 5:
      case 6:
        return void this.#put(number);
      default:
        return void this.#change(number);
    }
  }

  #split(): void {
    const all = this.#small.cluster.ids.map((_, at) => address(at + 1));
    const one = all.filter(() => this.#random.below(2) === 0);
    const two = all.filter((each) => !one.includes(each));
    this.#small.cluster.network.partition(one, two, this.#pick(["silent", "refusing"]));
  }

  async #change(number: number): Promise<void> {
    const policy = this.#pick(["lww", "siblings"] as const);
    const [r, w] = this.#pick([
      [1, 3],
      [2, 2],
      [3, 1],
    ] as const);
    const intent = this.#pick(["create", "put", "change"] as const);
    const given = intent === "change" ? { r, w } : { policy, r, w };
    const change = { intent, name: this.#pick(names), given };
    const outcome = await this.#small.cluster.ask(node(number), (asked) =>
      asked.changeBucket(change),
    );
    if (outcome?.ok === true) this.#changes.push({ change, outcome });
  }

  async #put(number: number): Promise<void> {
    const bucket = this.#pick(names);
    const key = `${bucket}-${(this.#writes += 1)}`;
    if (!this.#small.cluster.isUp(node(number))) return;
    const put = this.#small.begin(number, key, key, { bucket });
    if ((await put).ok) this.#puts.push({ bucket, key });
  }

  async #start(id: NodeId): Promise<void> {
    const started = await this.#small.cluster.startNode(id);
    if (!started.ok) this.#problems.push(`${id} does not start: ${started.message}`);
  }

  #look(): void {
    for (const id of this.#small.cluster.ids) {
      const buckets = this.#small.cluster.node(id)?.document()?.settings.buckets ?? [];
      for (const { name, policy } of buckets) {
        const policies = this.#policies.get(name) ?? new Set();
        this.#policies.set(name, policies.add(policy));
      }
    }
  }

  async #calm(): Promise<void> {
    const { cluster } = this.#small;
    cluster.network.heal();
    cluster.network.weather = {
      ...cluster.network.weather,
      lossPerThousand: 0,
      duplicatePerThousand: 0,
      latePerThousand: 0,
    };
    for (const id of cluster.ids) if (!cluster.isUp(id)) void this.#start(id);
    await this.#small.pass(calmMs);
    this.#look();
  }

  async #judge(): Promise<void> {
    const { cluster } = this.#small;
    const blame = (problem: string): number => this.#problems.push(problem);
    const digests = new Set(cluster.ids.map((id) => cluster.node(id)?.documentDigest()));
    if (digests.size > 1) blame("the nodes do not agree in the end");
    for (const [name, policies] of this.#policies) {
      if (policies.size > 1) blame(`bucket ${name} had two policies`);
    }
    const chosen = new Map<number, string>();
    for (const { event } of cluster.events) {
      if (event.kind === "peer-refused") blame(event.reason);
      if (event.kind !== "document-changed") continue;
      const { epoch, digest } = event;
      if ((chosen.get(epoch) ?? digest) !== digest) blame(`epoch ${epoch} was chosen twice`);
      chosen.set(epoch, digest);
    }
    const last = cluster.node(node(1))?.document();
    for (const { change, outcome } of this.#changes) {
      const bucket = last?.settings.buckets.find(({ name }) => name === change.name);
      if (outcome.epoch > (last?.epoch ?? 0)) blame(`epoch ${outcome.epoch} was lost`);
      const asked = change.given.policy ?? bucket?.policy;
      if (bucket?.policy !== asked) blame(`${change.name} was acknowledged as ${asked}`);
    }
    for (const { bucket, key } of this.#puts) {
      const found = await this.#small.read(1, key, { bucket, r: 3 });
      if (!found.includes(key)) blame(`${key} was acknowledged and is lost: ${String(found)}`);
    }
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random.below(items.length)] as Item;
  }
}
