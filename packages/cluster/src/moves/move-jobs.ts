import type { ClusterDocument, NodeId, PartitionId, Ring } from "@coterie/core";
import { isTaker, otherOwners } from "./roles.ts";

/** One partition that a node is to get, or to drop its copy of. */
export interface MoveJob {
  readonly partition: PartitionId;
  readonly kind: "arrive" | "drop";
  /** Which version entered the move; those of one version are the same moves. */
  readonly entered: number | undefined;
  /** With whom the partition is exchanged. */
  readonly peers: readonly NodeId[];
  /** With whom it was, from beginning to end while the job was this one. */
  readonly done: Set<NodeId>;
}

/**
 * What is left to do of a document for one node. All that it knows of how far it is it can do
 * without: after a crash it begins again, with what is there already.
 */
export class MoveJobs {
  readonly #self: NodeId;
  #jobs: ReadonlyMap<string, MoveJob> = new Map();

  constructor(self: NodeId) {
    this.#self = self;
  }

  get all(): readonly MoveJob[] {
    return [...this.#jobs.values()];
  }

  /** Goes by this ring from now on. Jobs that are still there go on as they are. */
  adopt(ring: Ring): void {
    const jobs = new Map<string, MoveJob>();
    for (const job of jobsOf(ring, this.#self)) {
      const name = `${job.kind} ${job.partition} ${job.entered} ${job.peers.join(" ")}`;
      jobs.set(name, this.#jobs.get(name) ?? job);
    }
    this.#jobs = jobs;
  }

  /** Whose every exchange is done. */
  finished(kind: MoveJob["kind"]): readonly PartitionId[] {
    return this.all
      .filter((job) => job.kind === kind && job.peers.every((peer) => job.done.has(peer)))
      .map(({ partition }) => partition);
  }

  /** What is to be exchanged with a peer. */
  withPeer(peer: NodeId): readonly MoveJob[] {
    return this.all.filter((job) => job.peers.includes(peer) && !job.done.has(peer));
  }

  /** With whom anything is left to be exchanged. */
  peers(): readonly NodeId[] {
    const peers = new Set<NodeId>();
    for (const job of this.all) {
      for (const peer of job.peers) if (!job.done.has(peer)) peers.add(peer);
    }
    return [...peers];
  }

  /** What was here of these partitions was thrown away. */
  restart(partitions: readonly PartitionId[]): void {
    for (const job of this.all) if (partitions.includes(job.partition)) job.done.clear();
  }
}

function jobsOf(ring: Ring, self: NodeId): readonly MoveJob[] {
  const { members, moves = [], leftovers = [], entered } = ring.document;
  const index = members.findIndex(({ id }) => id === self);
  const newJob = (kind: MoveJob["kind"], partition: PartitionId): MoveJob => {
    const peers = otherOwners(ring, self, partition).map(({ id }) => id);
    return {
      partition,
      kind,
      entered: kind === "drop" ? undefined : entered,
      peers,
      done: new Set(),
    };
  };
  const arriving = moves.filter(({ awaited }) => awaited.includes(index));
  const leaving = leftovers.filter(
    ({ member, partition }) => member === index && !isTaker(ring, self, partition),
  );
  return [
    ...arriving.map(({ partition }) => newJob("arrive", partition)),
    ...leaving.map(({ partition }) => newJob("drop", partition)),
  ];
}

/**
 * Whether a partition may be exchanged with `peer` now: with one owner first, from whom all comes
 * that is lacking, and then with the others, who find nothing or little. Each owner is the first
 * one for some partitions; one that does not answer is passed over.
 */
export function isTurnOf(
  peer: NodeId,
  { kind, partition, peers, done }: MoveJob,
  isFailing: (peer: NodeId) => boolean,
): boolean {
  if (kind === "drop" || done.size > 0) return true;
  const first = partition % peers.length;
  const turns = [...peers.slice(first), ...peers.slice(0, first)];
  const source = turns.find((each) => !isFailing(each));
  return source === undefined || source === peer;
}

/** True if a node is on its way out and still owns, or will own, something. */
export function ownsStill({ members, owners, moves = [] }: ClusterDocument, self: NodeId): boolean {
  const index = members.findIndex(({ id }) => id === self);
  return owners.some((list) => list.includes(index)) || moves.some(({ to }) => to.includes(index));
}
