import type { NodeId } from "@coterie/core";
import { convergence } from "./checkers/convergence.ts";
import { freshness } from "./checkers/freshness.ts";
import { noFalseSibling } from "./checkers/no-false-sibling.ts";
import { noLostWrite } from "./checkers/no-lost-write.ts";
import { noPhantom } from "./checkers/no-phantom.ts";
import { nothingUndead } from "./checkers/nothing-undead.ts";
import { SimCluster, type SimClusterOptions } from "./cluster.ts";
import type { Checker, Violation } from "./history.ts";
import type { SeededRandom } from "./random.ts";
import { Workload } from "./workload.ts";
import { World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly drain: () => Promise<void>;
  readonly operations?: number;
  readonly keys?: number;
  /** Crashes, restarts, cuts and bad weather; without them only time is uncertain. */
  readonly faults?: boolean;
  readonly planted?: Pick<SimClusterOptions, "wrapDisk" | "corrupt">;
}

export interface SimulationReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly traceHash: string;
  readonly traceTail: readonly string[];
  readonly writes: number;
  readonly acknowledged: number;
  readonly reads: number;
  readonly crashes: number;
  readonly restarts: number;
}

/** Everything a simulation is judged by. */
export const checkers: readonly Checker[] = [
  noLostWrite,
  nothingUndead,
  noFalseSibling,
  noPhantom,
  freshness,
  convergence,
];

const replicas = 3;

/**
 * Three nodes, a workload and faults, all from one seed; then everything is healed, every key is
 * read from all replicas, and the checkers have their say.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const world = new World({ seed: options.seed, drain: options.drain });
  const cluster = new SimCluster(world, { nodes: replicas, ...options.planted });
  await cluster.start();
  const workload = new Workload(cluster, {
    clients: 4,
    operations: options.operations ?? 200,
    keys: options.keys ?? 8,
    bucket: "default",
  });
  const faults = new Faults(cluster);
  if (options.faults !== false) faults.begin();
  await world.runUntilSettled(workload.run());
  await faults.heal();
  const final = await world.runUntilSettled(
    workload.finalState(cluster.ids[0] as NodeId, replicas),
  );
  const { history } = workload;
  return {
    seed: options.seed,
    violations: checkers.flatMap((check) => check(history, final)),
    traceHash: world.traceHash(),
    traceTail: world.traceTail(),
    writes: history.writes.length,
    acknowledged: history.writes.filter(({ outcome }) => outcome === "ok").length,
    reads: history.reads.length,
    crashes: faults.crashes,
    restarts: faults.restarts,
  };
}

/** What goes wrong, and when: drawn from the seed. */
class Faults {
  crashes = 0;
  restarts = 0;
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #starting = new Set<NodeId>();
  #isOver = false;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.#random = cluster.world.random.fork("faults");
  }

  begin(): void {
    this.#cluster.network.weather = {
      latency: { msMin: 0.25, msMax: 10 },
      lossPerThousand: this.#random.below(80),
      duplicatePerThousand: this.#random.below(80),
      latePerThousand: this.#random.below(20),
    };
    this.#scheduleNext();
  }

  /** Mends the network, starts what is down, and waits until all nodes serve. */
  async heal(): Promise<void> {
    this.#isOver = true;
    const { world } = this.#cluster;
    this.#cluster.network.heal();
    for (const id of this.#cluster.ids) if (!this.#cluster.isUp(id)) this.#start(id);
    while (this.#starting.size > 0) await world.run({ until: world.nowMs + 100 });
    // Whatever is still under way from before either arrives or gives up.
    await world.run({ until: world.nowMs + 5000 });
  }

  #scheduleNext(): void {
    this.#cluster.world.schedule(20 + this.#random.below(400), () => {
      if (this.#isOver) return;
      this.#strike();
      this.#scheduleNext();
    });
  }

  #strike(): void {
    const { ids, network } = this.#cluster;
    const id = ids[this.#random.below(ids.length)] as NodeId;
    const dice = this.#random.below(100);
    if (dice < 35) this.#crash(id);
    else if (dice < 42) for (const each of ids) this.#crash(each);
    else if (dice < 65) for (const each of ids) this.#start(each);
    else if (dice < 80) this.#cutOff(id);
    else if (dice < 90) network.heal();
    else this.#cluster.clock(id)?.jumpWall(this.#random.below(20_000) - 10_000);
  }

  #crash(id: NodeId): void {
    if (!this.#cluster.isUp(id)) return;
    this.crashes += 1;
    this.#starting.delete(id);
    this.#cluster.crash(id, this.#random.chance(500) ? "power" : "kill");
    this.#cluster.world.schedule(this.#random.below(600), () => this.#start(id));
  }

  #start(id: NodeId): void {
    if (this.#cluster.isUp(id) || this.#starting.has(id)) return;
    this.restarts += 1;
    this.#starting.add(id);
    void this.#cluster.startNode(id).then(() => this.#starting.delete(id));
  }

  #cutOff(id: NodeId): void {
    const { ids, network } = this.#cluster;
    for (const other of ids) {
      if (other === id) continue;
      network.cut(id as never, other as never, this.#random.chance(500) ? "silent" : "refusing");
      if (this.#random.chance(700)) network.cut(other as never, id as never);
    }
  }
}
