import type { HeldCopy } from "./find-page.ts";
import type { NodeHoldings } from "./node-holdings.ts";

/** A key that was found, and at whom. */
export interface FoundKey {
  readonly bucket: string;
  /** base64url. */
  readonly key: string;
  readonly token: string;
  readonly partition: number;
  readonly copies: readonly FoundCopy[];
}

export interface FoundCopy {
  readonly node: string;
  readonly siblings: number;
  readonly bytes: number;
}

/**
 * What several nodes hold, key by key in the order of tokens: a key is given when every node that
 * still answers has answered for its token. What is in memory is a page per node.
 */
export async function* mergedHoldings(
  nodes: readonly NodeHoldings[],
): AsyncGenerator<readonly FoundKey[]> {
  for (;;) {
    const behind = nodes.filter(({ isRunning, isEmpty }) => isRunning && isEmpty);
    await Promise.all(behind.map((node) => node.advance()));
    const horizon = horizonOf(nodes);
    yield together(nodes, horizon);
    if (horizon === undefined) return;
  }
}

/** The token up to which all nodes that still answer have; `undefined` if none does. */
export function horizonOf(nodes: readonly NodeHoldings[]): string | undefined {
  return nodes
    .filter(({ isRunning }) => isRunning)
    .map(({ reached }) => reached)
    .toSorted()[0];
}

function together(nodes: readonly NodeHoldings[], horizon: string | undefined): FoundKey[] {
  const byName = new Map<string, FoundKey & { readonly copies: FoundCopy[] }>();
  for (const node of nodes) {
    for (const copy of node.takeUpTo(horizon)) {
      const name = nameOf(copy);
      const { bucket, key, token, partition, siblings, bytes } = copy;
      const found = byName.get(name) ?? { bucket, key, token, partition, copies: [] };
      found.copies.push({ node: node.id, siblings, bytes });
      byName.set(name, found);
    }
  }
  return [...byName.entries()]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([, found]) => found);
}

function nameOf({ token, bucket, key }: HeldCopy): string {
  return `${token}/${bucket}/${key}`;
}
