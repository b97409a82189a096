import type { ClusterDescription } from "@coterie/protocol";
import { isAddress } from "./address.ts";
import type { Clock } from "./clock.ts";
import type { LinkOptions } from "./link-options.ts";
import { NodeLink } from "./node-link.ts";
import type { Random } from "./random.ts";
import type { Transport } from "./transport.ts";

export interface NodeLinksInput {
  /** `host:port` of the nodes that the client was given. */
  readonly nodes: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly options: LinkOptions;
  readonly onOpen: (link: NodeLink) => void;
  readonly onBroken: (link: NodeLink, reason: string) => void;
}

/** One link per node, by the address under which it is reached. */
export class NodeLinks {
  readonly #input: NodeLinksInput;
  readonly #byAddress = new Map<string, NodeLink>();
  /** Addresses that a node was reached under, by its id: they beat what the layout says. */
  readonly #knownAddresses = new Map<string, string>();
  #all: readonly NodeLink[] = [];

  constructor(input: NodeLinksInput) {
    this.#input = input;
    for (const address of input.nodes) this.#at(address);
    this.#all = [...this.#byAddress.values()];
  }

  get all(): readonly NodeLink[] {
    return this.#all;
  }

  /**
   * Links for the members of a layout that `source` gave, in their order; none for a member whose
   * client door has no address. Links to nodes that are gone end once nothing waits on them.
   */
  adopt(layout: ClusterDescription, source: NodeLink): readonly (NodeLink | undefined)[] {
    this.#knownAddresses.set(layout.node, source.address);
    const links = layout.members.map(({ id, grpc }) => {
      const address = this.#reachedAt(id) ?? grpc;
      return isAddress(address) ? this.#at(address) : undefined;
    });
    const kept = new Set(links);
    for (const [address, link] of this.#byAddress) {
      if (kept.has(link) || this.#input.nodes.includes(address) || link.operations > 0) continue;
      link.close();
      this.#byAddress.delete(address);
    }
    this.#all = [...this.#byAddress.values()];
    return links;
  }

  /** Unless it cannot be reached there any more: then it may be back under another address. */
  #reachedAt(id: string): string | undefined {
    const address = this.#knownAddresses.get(id) ?? "";
    const health = this.#byAddress.get(address)?.health(this.#input.clock.monotonicMs());
    return health === undefined || health === "broken" ? undefined : address;
  }

  #at(address: string): NodeLink {
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known;
    const link = new NodeLink({ ...this.#input, address });
    this.#byAddress.set(address, link);
    return link;
  }
}
