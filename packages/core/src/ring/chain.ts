/** `from` hands `partition`, or its first place there, to `to`. */
export interface Link {
  readonly from: number;
  readonly to: number;
  readonly partition: number;
}

export interface Chain {
  /** From the end back to the start; empty if no end was reached. */
  readonly links: readonly Link[];
  /** Everybody met on the way, the start included. */
  readonly reached: ReadonlySet<number>;
}

/** The shortest chain of links from `start` to somebody who `isEnd`, found breadth first. */
export function findChain(
  start: number,
  isEnd: (member: number) => boolean,
  linksFrom: (member: number, reached: ReadonlySet<number>) => Iterable<Link>,
): Chain {
  const reached = new Set([start]);
  const cameBy = new Map<number, Link>();
  // A set is walked in the order of insertion, what is added meanwhile included: the queue.
  for (const member of reached) {
    for (const link of linksFrom(member, reached)) {
      if (reached.has(link.to)) continue;
      reached.add(link.to);
      cameBy.set(link.to, link);
      if (isEnd(link.to)) return { links: backFrom(link, cameBy), reached };
    }
  }
  return { links: [], reached };
}

function backFrom(last: Link, cameBy: ReadonlyMap<number, Link>): readonly Link[] {
  const links: Link[] = [];
  for (let link: Link | undefined = last; link !== undefined; link = cameBy.get(link.from)) {
    links.push(link);
  }
  return links;
}
