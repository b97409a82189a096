import type { ClusterDescription } from "@coterie/protocol";
import { type HashSpace, isKeyHash, partitionOf, tokenOf } from "@coterie/core";
import type { NodeLink } from "./node-link.ts";
import type { NodeLinks } from "./node-links.ts";

/** What a choice of a node depends on. */
export interface RouteInput {
  readonly nowMs: number;
  /** -1: any node will do. */
  readonly partition: number;
  readonly bucket: string;
  /** Reads try the primaries in turn; writes the first one first. */
  readonly isWrite: boolean;
  /** Nodes that this call was sent to already: others are asked first. */
  readonly tried: readonly NodeLink[];
}

// A choice is the link with the least cost; these are powers of two, so that each outweighs the
// ones after it together.
const costDoubtful = 4;
const costTried = 2;
const costNotPrimary = 1;

/** Sends each request to a node that holds its key, as far as the cluster's layout is known. */
export class Router {
  readonly #links: NodeLinks;
  #layout: ClusterDescription | undefined;
  #space: HashSpace = nowhere;
  /** By member, as in the layout. */
  #members: readonly (NodeLink | undefined)[] = [];
  #replicas = new Map<string, number>();
  #turn = 0;

  constructor(links: NodeLinks, firstTurn: number) {
    this.#links = links;
    this.#turn = firstTurn;
  }

  /** 0 until a layout is known. */
  get epoch(): number {
    return this.#layout?.epoch ?? 0;
  }

  /** Goes by this layout from now on, unless a newer one is known. */
  adopt(layout: ClusterDescription, source: NodeLink): void {
    if (layout.epoch < this.epoch) return;
    this.#layout = layout;
    this.#space = spaceOf(layout);
    this.#members = this.#links.adopt(layout, source);
    this.#replicas = new Map(layout.buckets.map(({ name, n }) => [name, n]));
  }

  /** The partition of a key; -1 while none is known. */
  partition(bucket: string, key: Uint8Array): number {
    if (this.#space.partitions === 0) return -1;
    return partitionOf(tokenOf({ bucket, key }, this.#space), this.#space.partitions);
  }

  /**
   * The best node for a request, `undefined` while none can be reached. Among equals it is one that
   * a message is being made for: what a few requests cost is the messages, here and between nodes.
   */
  choose(input: RouteInput): NodeLink | undefined {
    const owners = this.#layout?.partitions[input.partition] ?? [];
    const n = Math.min(owners.length, this.#replicas.get(input.bucket) ?? owners.length);
    this.#turn = (this.#turn + 1) % 0x4000_0000;
    const first = input.isWrite || n === 0 ? 0 : this.#turn % n;
    let best: NodeLink | undefined;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let step = 0; step < n; step += 1) {
      const link = this.#members[owners[(first + step) % n] as number];
      if (link === undefined) continue;
      const cost = costOf(link, input);
      if (cost === 0 && link.isGathering) return link;
      if (cost < bestCost) [best, bestCost] = [link, cost];
    }
    const { all } = this.#links;
    for (let step = 0; step < all.length && bestCost > costNotPrimary; step += 1) {
      const link = all[(this.#turn + step) % all.length] as NodeLink;
      const cost = costOf(link, input) + costNotPrimary;
      if (cost < bestCost) [best, bestCost] = [link, cost];
    }
    return best;
  }
}

/** Nobody can say where a key is. */
const nowhere: HashSpace = { hash: "md5", partitions: 0 };

/** Where nodes hash in a way that came after this client, any node will do. */
function spaceOf({ hash, partitions }: ClusterDescription): HashSpace {
  const known = hash === "" ? "md5" : hash;
  return isKeyHash(known) ? { hash: known, partitions: partitions.length } : nowhere;
}

function costOf(link: NodeLink, { nowMs, tried }: RouteInput): number {
  const health = link.health(nowMs);
  if (health === "broken") return Number.POSITIVE_INFINITY;
  const wasTried = tried.length > 0 && tried.includes(link);
  return (health === "doubtful" ? costDoubtful : 0) + (wasTried ? costTried : 0);
}
