import type { NodeId } from "@coterie/core";
import { type FinalState, SimCluster, Workload, World, checkers } from "@coterie/sim";
import { expect, it } from "vitest";

type Random = World["random"];

/** More than any disk is given here. */
const plentyBytes = 1e9;

/** What fails at the disks of one cluster while its clients work: drawn from the seed. */
class DiskFaults {
  readonly #cluster: SimCluster;
  readonly #random: Random;
  readonly #starting = new Set<NodeId>();
  readonly #mends: (() => void)[] = [];
  #isOver = false;
  #hasRotted = false;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.#random = cluster.world.random.fork("disk-faults");
  }

  begin(): void {
    this.#cluster.world.schedule(20 + this.#random.below(300), () => {
      if (this.#isOver) return;
      this.#strike();
      this.begin();
    });
  }

  /** Mends everything, starts what is down, and waits until what was damaged is refilled. */
  async heal(): Promise<void> {
    const { world, network, ids } = this.#cluster;
    this.#isOver = true;
    for (const mend of this.#mends) mend();
    network.heal();
    await world.run({ until: world.nowMs + 3000 });
    for (const id of ids) this.#cluster.disk(id).capacityBytes = plentyBytes;
    for (const id of ids) this.#start(id);
    await world.run({ until: world.nowMs + 15_000 });
  }

  #strike(): void {
    const { ids } = this.#cluster;
    const id = ids[this.#random.below(ids.length)] as NodeId;
    const dice = this.#random.below(100);
    if (dice < 15) this.#crash(id);
    else if (dice < 35) this.#stop(id);
    else if (dice < 55) for (const each of ids) this.#start(each);
    else if (dice < 70) this.#failSync(id);
    else if (dice < 80) this.#rot(id);
    else this.#fill(id);
  }

  #crash(id: NodeId): void {
    this.#starting.delete(id);
    this.#cluster.crash(id, this.#random.chance(500) ? "power" : "kill");
  }

  #stop(id: NodeId): void {
    const node = this.#cluster.node(id);
    if (node === undefined || this.#starting.has(id)) return;
    void node.stop().then(() => {
      if (this.#cluster.node(id) !== node) return;
      this.#cluster.crash(id, "kill");
      this.#cluster.world.schedule(this.#random.below(200), () => this.#start(id));
    });
  }

  #start(id: NodeId): void {
    if (this.#cluster.isUp(id) || this.#starting.has(id)) return;
    this.#starting.add(id);
    void this.#cluster.startNode(id).then((started) => {
      this.#starting.delete(id);
      // A process that cannot start, its disk being full, ends.
      if (!started.ok) this.#cluster.crash(id);
    });
  }

  #failSync(id: NodeId): void {
    const fault = { operation: "sync", error: "io", times: 1 } as const;
    this.#mends.push(this.#cluster.disk(id).inject(fault));
  }

  /** At one node of a run: damage at all copies of a record is beyond repair. */
  #rot(id: NodeId): void {
    if (this.#hasRotted) return;
    this.#hasRotted = true;
    this.#crash(id);
    const disk = this.#cluster.disk(id);
    for (const [name, { length }] of disk.image()) {
      if (!name.endsWith(".seg") || length === 0) continue;
      for (let hits = 0; hits < 3; hits += 1) {
        disk.flipBit(name, this.#random.below(length), this.#random.below(8));
      }
    }
    this.#start(id);
  }

  #fill(id: NodeId): void {
    this.#cluster.disk(id).capacityBytes = 1000;
    this.#cluster.world.schedule(this.#random.below(1500), () => {
      this.#cluster.disk(id).capacityBytes = plentyBytes;
    });
  }
}

/** A node that owns no copy of a key is not to be compared with those that do. */
function ofOwners(state: FinalState, nodes: number): FinalState {
  if (nodes === 3) return state;
  return { ...state, copies: new Map([...state.copies].filter(([, held]) => held !== "absent")) };
}

it.each([
  ...Array.from({ length: 25 }, (_, index) => [index + 1, 3] as const),
  ...Array.from({ length: 10 }, (_, index) => [index + 101, 5] as const),
])("loses nothing to failing disks, seed %i with %i nodes", async (seed, nodes) => {
  const drain = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const cluster = new SimCluster(new World({ seed, drain }), { nodes });
  const { world } = cluster;
  await cluster.start();
  const options = { clients: 4, operations: 200, keys: 10, bucket: "default" };
  const workload = new Workload(cluster, options);
  const faults = new DiskFaults(cluster);
  faults.begin();
  await world.runUntilSettled(workload.run());
  await faults.heal();
  expect(cluster.ids.filter((id) => !cluster.isUp(id))).toEqual([]);
  const final = await world.runUntilSettled(workload.finalState(cluster.ids[0] as NodeId, 3));
  const { history } = workload;
  const owned = final.map((state) => ofOwners(state, nodes));
  expect(checkers.flatMap((check) => check(history, owned))).toEqual([]);
  expect(history.writes.filter(({ outcome }) => outcome === "ok").length).toBeGreaterThan(0);
});
