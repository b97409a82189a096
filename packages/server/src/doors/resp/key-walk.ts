import type { Failure, ScanItem } from "@coterie/cluster";
import { isGlobMatch } from "./glob.ts";
import type { RespService } from "./resp-service.ts";

/** Keys asked of the node at once. */
const pageItems = 1000;

export type WalkOutcome = { readonly ok: true } | Failure;

/** Goes through all keys of the bucket, a page at a time, until `take` says that it is enough. */
export async function walkKeys(
  { node, options }: RespService,
  prefix: Uint8Array | undefined,
  take: (items: readonly ScanItem[]) => boolean | Promise<boolean>,
): Promise<WalkOutcome> {
  let cursor: string | undefined;
  do {
    const asked = { limit: pageItems, cursor, prefix, tombstones: false };
    const page = await node.scan(options.bucket, asked);
    if (!page.ok) return page;
    if (!(await take(page.items))) return { ok: true };
    ({ cursor } = page);
  } while (cursor !== undefined);
  return { ok: true };
}

/** What a pattern begins with that is meant as it is; `undefined`: nothing. */
export function prefixOf(pattern: Uint8Array): Uint8Array | undefined {
  const special = pattern.findIndex((byte) => specials.has(byte));
  const length = special < 0 ? pattern.length : special;
  return length === 0 ? undefined : pattern.subarray(0, length);
}

/** The keys among these that match. */
export function matchingKeys(
  items: readonly ScanItem[],
  pattern: Uint8Array | undefined,
): readonly Uint8Array[] {
  const keys = items.map(({ key }) => key);
  return pattern === undefined ? keys : keys.filter((key) => isGlobMatch(pattern, key));
}

/** `*`, `?`, `[` and `\`. */
const specials: ReadonlySet<number> = new Set([0x2a, 0x3f, 0x5b, 0x5c]);
