import type { StartOutcome } from "@coterie/cluster";
import type { NodeId } from "@coterie/core";
import type { SimCluster } from "../cluster.ts";
import type { SimDisk } from "../disk.ts";
import type { SeededRandom } from "../random.ts";

/** How a node says that it was given a directory in the place of which another one has come. */
const replacedReason = "another directory has taken the place of this one";
/** And that it is no member any more, which it is told when it starts. */
const goneReason = "is no member of its cluster any more";
/** How long a process is down before it is started again, at most. */
const downMsMax = 800;

/** Starts processes again when they have ended, as an init system would. */
export class Supervisor {
  /** Starts that failed for a reason that no fault explains. */
  readonly failures: { readonly node: NodeId; readonly message: string }[] = [];
  starts = 0;
  /** Of nodes whose first disks were found again: those that they had meanwhile. */
  readonly #spares = new Map<NodeId, SimDisk>();
  /** Nodes whose first disks were found again: they may be told that these are none of theirs. */
  readonly #found = new Set<NodeId>();
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

  /** A node has its first disk again; `spare` was in its place meanwhile. */
  noteFound(id: NodeId, spare: SimDisk): void {
    this.#found.add(id);
    this.#spares.set(id, spare);
  }

  /** True if that is why the node ended: it ran on a disk that was replaced and found again. */
  explains(id: NodeId, reason: string): boolean {
    return this.#found.has(id) && reason.startsWith(replacedReason);
  }

  noteDown(id: NodeId): void {
    this.#starting.delete(id);
    this.#cluster.world.schedule(this.#random.below(downMsMax), () => this.start(id));
  }

  start(id: NodeId): void {
    if (!this.#cluster.ids.includes(id) || this.#cluster.isUp(id)) return;
    this.starts += 1;
    const attempt = this.starts;
    this.#starting.set(id, attempt);
    void this.#cluster.startNode(id).then((outcome) => {
      if (this.#starting.get(id) !== attempt) return;
      this.#starting.delete(id);
      if (!outcome.ok && outcome.message.includes(goneReason)) {
        this.#cluster.retire(id);
        return;
      }
      this.#judge(id, outcome);
      // A process that cannot serve ends.
      if (outcome.ok) return;
      this.#cluster.crash(id, "kill");
      const spare = this.#spares.get(id);
      if (spare === undefined || !this.explains(id, outcome.message)) return;
      this.#spares.delete(id);
      this.#cluster.insertDisk(id, spare);
    });
  }

  #judge(node: NodeId, outcome: StartOutcome): void {
    if (outcome.ok) return;
    const isExplained =
      outcome.code === "disk-full" || outcome.code === "io" || this.explains(node, outcome.message);
    if (!isExplained) this.failures.push({ node, message: `${outcome.code}: ${outcome.message}` });
  }
}
