import type { NodeId, PeerAddress } from "@coterie/core";
import type { SimCluster } from "../cluster.ts";
import type { ContendedKey } from "../contended-key.ts";
import type { SeededRandom } from "../random.ts";
import type { Supervisor } from "./supervisor.ts";

/** What a strike may use. */
export interface Battlefield {
  readonly cluster: SimCluster;
  readonly supervisor: Supervisor;
  /** What clients read and write. */
  readonly keys: readonly ContendedKey[];
  /** Nodes whose directories were put back from older ones, and when. */
  readonly forgetful: Map<NodeId, number>;
  /** Nodes that may have lost records for good. */
  readonly bereft: Set<NodeId>;
  /** How long clients rest halfway, if they do. */
  readonly lullMs: number | undefined;
  /** From when all is healed on nothing may go wrong. */
  readonly isOver: boolean;
  /** Undoes something after a while, or when all is healed. */
  mendAfter(ms: number, mend: () => void): void;
  /** Runs something when a client has next been told that its write is durable. */
  onNextAck(run: () => void): void;
  /** Runs something when nodes that do not own a key have next told a client so. */
  onNextGuestAck(run: () => void): void;
  /** Runs something when an operator is next about to ask for a change of members. */
  onNextChange(run: (through: NodeId) => void): void;
  /** Runs something when clients begin to rest halfway, or at once if they have. */
  onLull(run: () => void): void;
  /** Runs something when a node next tells another one to forget what all have confirmed. */
  onNextReap(run: () => void): void;
  /** Runs something when a client has next read what no client was told is durable. */
  onNextEarlyRead(run: () => void): void;
}

/** Does its damage now; false if there was nothing to be damaged. */
export type Strike = (field: Battlefield, random: SeededRandom) => boolean;

/** Of a fault: at least so many milliseconds, and up to so many more. */
export interface Duration {
  readonly least: number;
  readonly more: number;
}

/** How one direction of a link fails. */
export interface LinkCut {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly kind: "silent" | "refusing";
}

const aWhile: Duration = { least: 100, more: 2500 };

/** Cuts a link for a while. */
export function cutFor(
  field: Battlefield,
  random: SeededRandom,
  { from, to, kind }: LinkCut,
  { least, more }: Duration = aWhile,
): void {
  const { network } = field.cluster;
  network.cut(addressOf(from), addressOf(to), kind);
  field.mendAfter(least + random.below(more), () => network.mend(addressOf(from), addressOf(to)));
}

/**
 * Cuts all links between the nodes of one side and all others. Returns what mends them.
 */
export function cutApart(
  { cluster }: Battlefield,
  side: readonly NodeId[],
  kind: LinkCut["kind"],
): () => void {
  const links = side.flatMap((one) =>
    cluster.ids
      .filter((id) => !side.includes(id))
      .flatMap((two) => [
        { from: addressOf(one), to: addressOf(two) },
        { from: addressOf(two), to: addressOf(one) },
      ]),
  );
  for (const { from, to } of links) cluster.network.cut(from, to, kind);
  return () => {
    for (const { from, to } of links) cluster.network.mend(from, to);
  };
}

/** A node that serves and is not paused. */
export function running(
  { cluster, supervisor }: Battlefield,
  random: SeededRandom,
): NodeId | undefined {
  const candidates = cluster.ids.filter(
    (id) => cluster.isUp(id) && !supervisor.isStarting(id) && !cluster.isPaused(id),
  );
  return candidates.length === 0 ? undefined : pick(random, candidates);
}

/** A simulated node listens at its name. */
export function addressOf(id: NodeId): PeerAddress {
  return id as string as PeerAddress;
}

/** One of them, each as likely. */
export function pick<Item>(random: SeededRandom, items: readonly Item[]): Item {
  return items[random.below(items.length)] as Item;
}
