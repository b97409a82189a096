import type { NodeId, PeerAddress } from "@coterie/core";
import type { SimCluster } from "../cluster.ts";
import type { Supervisor } from "./supervisor.ts";

/** Who is well, and who reaches whom: as they are, not as nodes know it. */
export class Health {
  /** Nodes that may have lost records for good, which they have to fetch from others first. */
  readonly #bereft: ReadonlySet<NodeId>;
  readonly #cluster: SimCluster;
  readonly #supervisor: Supervisor;

  constructor(cluster: SimCluster, supervisor: Supervisor, bereft: ReadonlySet<NodeId>) {
    this.#cluster = cluster;
    this.#supervisor = supervisor;
    this.#bereft = bereft;
  }

  /**
   * True if an operation through `door` must succeed: it is well, and so are `required` of the
   * owners, all of which reach each other and the door. Any other owner may be dead, silent or
   * slow; but the door may pass a write on to one that runs, and cannot know whom that one reaches.
   */
  isWell(door: NodeId, owners: readonly NodeId[], required: number): boolean {
    if (!this.#isSound(door)) return false;
    const well = this.#wellOf(door, owners);
    if (well.length < required) return false;
    const running = owners.filter((id) => this.#isRunning(id) && this.#passes(door, id));
    return running.every((one) => well.every((two) => this.#meet(one, two)));
  }

  /**
   * Differs when a process ended, or a stream died, meanwhile, or other owners are well than were:
   * who has come back may not have been noticed when one that was there goes.
   */
  state(door: NodeId, owners: readonly NodeId[]): string {
    const starts = [door, ...owners].map((id) => this.#cluster.startsOf(id));
    const well = this.#wellOf(door, owners);
    return `${starts.join(" ")} ${this.#cluster.network.breaks} ${well.join(" ")}`;
  }

  /**
   * The door and the owners that are well, each in the life that it has: who is among them all the
   * time has been well for as long.
   */
  wellLives(door: NodeId, owners: readonly NodeId[]): ReadonlySet<string> {
    const lives = this.#wellOf(door, owners).map((id) => `${id} ${this.#cluster.startsOf(id)}`);
    return new Set([`door ${this.#cluster.startsOf(door)} ${this.#isSound(door)}`, ...lives]);
  }

  /** Streams that have died. */
  get breaks(): number {
    return this.#cluster.network.breaks;
  }

  #wellOf(door: NodeId, owners: readonly NodeId[]): readonly NodeId[] {
    return owners.filter((id) => this.#isSound(id) && this.#meet(door, id));
  }

  #isSound(id: NodeId): boolean {
    const cluster = this.#cluster;
    return (
      cluster.node(id)?.missing().length === 0 &&
      // A segment that a failed sync left unsealed may have held more: its node asks others.
      cluster.node(id)?.isRefilling === false &&
      !cluster.isPaused(id) &&
      !this.#supervisor.isStarting(id) &&
      !this.#bereft.has(id) &&
      cluster.disk(id).isSound &&
      // A store that ran out of space looks only once in a while whether there is some again.
      !cluster.isDiskFull(id) &&
      !cluster.network.isSlow(addressOf(id))
    );
  }

  #isRunning(id: NodeId): boolean {
    return this.#cluster.isUp(id) && !this.#cluster.isPaused(id);
  }

  #meet(one: NodeId, two: NodeId): boolean {
    return one === two || (this.#passes(one, two) && this.#passes(two, one));
  }

  #passes(from: NodeId, to: NodeId): boolean {
    return this.#cluster.network.passes(addressOf(from), addressOf(to));
  }
}

function addressOf(id: NodeId): PeerAddress {
  return id as string as PeerAddress;
}
