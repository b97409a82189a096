import type { StartOutcome } from "@coterie/cluster";
import type { NodeId } from "@coterie/core";
import type { SimCluster } from "../cluster.ts";
import type { SeededRandom } from "../random.ts";

/** How long a process is down before it is started again, at most. */
const downMsMax = 800;

/** Starts processes again when they have ended, as an init system would. */
export class Supervisor {
  /** Starts that failed for a reason that no fault explains. */
  readonly failures: { readonly node: NodeId; readonly message: string }[] = [];
  starts = 0;
  /** Nodes with somebody else's disk, or an empty one: they are to be refused. */
  readonly impostors: Set<NodeId> = new Set();
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #starting = new Map<NodeId, number>();

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.#random = cluster.world.random.fork("supervisor");
  }

  /** True while a process is up and has not begun to serve. */
  isStarting(id: NodeId): boolean {
    return this.#starting.has(id);
  }

  get isBusy(): boolean {
    return this.#starting.size > 0;
  }

  noteDown(id: NodeId): void {
    this.#starting.delete(id);
    this.#cluster.world.schedule(this.#random.below(downMsMax), () => this.start(id));
  }

  start(id: NodeId): void {
    if (this.#cluster.isUp(id)) return;
    this.starts += 1;
    const attempt = this.starts;
    this.#starting.set(id, attempt);
    void this.#cluster.startNode(id).then((outcome) => {
      if (this.#starting.get(id) !== attempt) return;
      this.#starting.delete(id);
      this.#judge(id, outcome);
      // A process that cannot serve ends.
      if (!outcome.ok) this.#cluster.crash(id, "kill");
    });
  }

  #judge(node: NodeId, outcome: StartOutcome): void {
    const isImpostor = this.impostors.has(node);
    if (outcome.ok) {
      if (isImpostor) this.failures.push({ node, message: "it serves from an emptied directory" });
      return;
    }
    const isExplained =
      outcome.code === "disk-full" ||
      outcome.code === "io" ||
      (outcome.code === "not-formed" && isImpostor);
    if (!isExplained) this.failures.push({ node, message: `${outcome.code}: ${outcome.message}` });
  }
}
