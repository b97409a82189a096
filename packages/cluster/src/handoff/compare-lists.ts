import {
  type Key,
  type NodeId,
  type PartitionId,
  type Token,
  compareTokens,
  decodeRecord,
  decodeRecordKey,
  equalBytes,
  invariant,
} from "@coterie/core";
import type { StoredRecord } from "@coterie/storage";
import type { Coordination } from "../coordinator/coordination.ts";
import type { ListedEntry } from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import type { Payer } from "./debt.ts";

const pageTokens = 1024;

export interface ComparisonParts extends Pick<Coordination, "self" | "store" | "replica" | "ring"> {
  readonly target: NodeId;
}

/**
 * Compares what this node and the target hold of a partition, by lists of tokens and digests that
 * both take from their indexes, and exchanges what differs: the target's records are merged here,
 * and what this node then holds is merged there. True if both hold the same in the end, apart from
 * what came meanwhile.
 */
export async function compareLists(
  parts: ComparisonParts,
  payer: Payer,
  partition: PartitionId,
  onExchanged: () => void = () => undefined,
): Promise<boolean> {
  let after: Token | undefined;
  let isEqual = true;
  for (;;) {
    const { stamp } = parts.ring();
    const page = { partition, after, limit: pageTokens, evenIfDamaged: true, skipsEmpty: false };
    const response = await payer.ask({ kind: "list", stamp, ...page });
    if (response?.kind !== "listed") return false;
    const last = response.entries.length < pageTokens ? undefined : response.entries.at(-1)?.token;
    const differing = differences(parts, { partition, after, last }, response.entries);
    const exchanges: Promise<boolean>[] = [];
    for (const each of differing) {
      if (!(await payer.ready())) isEqual = false;
      else exchanges.push(exchange(parts, payer, { ...each, partition }));
      if (!isEqual) break;
    }
    for (const each of exchanges) {
      if (await each) onExchanged();
      else isEqual = false;
    }
    if (last === undefined || !isEqual) return isEqual;
    after = last;
  }
}

interface Range {
  readonly partition: PartitionId;
  readonly after: Token | undefined;
  /** The end of the range; `undefined`: that of the partition. */
  readonly last: Token | undefined;
}

interface Difference {
  readonly token: Token;
  readonly isTheirs: boolean;
}

/** Tokens under which the two do not hold the same. */
function differences(
  { store }: ComparisonParts,
  { partition, after, last }: Range,
  theirs: readonly ListedEntry[],
): readonly Difference[] {
  const digests = new Map<string, { readonly token: Token; theirs: string; ours: string }>();
  const heldAs = (token: Token): { theirs: string; ours: string } => {
    const name = `${token.high}:${token.low}`;
    let held = digests.get(name);
    if (held === undefined) {
      held = { token, theirs: "", ours: "" };
      digests.set(name, held);
    }
    return held;
  };
  for (const { token, digest } of theirs) heldAs(token).theirs += `${digest.high}:${digest.low} `;
  let from = after;
  for (let isOver = false; !isOver;) {
    const page = store.list(partition, from, pageTokens);
    for (const { token, digest } of page) {
      if (last !== undefined && compareTokens(token, last) > 0) isOver = true;
      else heldAs(token).ours += `${digest.high}:${digest.low} `;
    }
    from = page.at(-1)?.token;
    if (page.length < pageTokens) isOver = true;
  }
  return [...digests.values()]
    .filter((held) => held.ours !== held.theirs)
    .map((held) => ({ token: held.token, isTheirs: held.theirs !== "" }));
}

interface Exchanged extends Difference {
  readonly partition: PartitionId;
}

/** Makes both hold the same under a token; uses the room that the payer gave for it. */
async function exchange(
  parts: ComparisonParts,
  payer: Payer,
  { partition, token, isTheirs }: Exchanged,
): Promise<boolean> {
  let theirs: readonly Uint8Array[] = [];
  if (isTheirs) {
    const { stamp } = parts.ring();
    const place = { partition, token, evenIfDamaged: true };
    const response = await payer.ask({ kind: "find", stamp, ...place });
    theirs = response?.kind === "found" ? response.records : [];
    if (response?.kind !== "found" || !(await keepAll(parts, theirs))) {
      payer.skip();
      return false;
    }
  }
  const ours = await findOwn(parts, partition, token);
  const lacking = ours.filter(
    ({ bytes }) =>
      isFor(parts, parts.target, partition, keyOf(bytes)) &&
      !theirs.some((their) => equalBytes(their, bytes)),
  );
  let hasRoom = true;
  for (const stored of lacking) {
    if (!hasRoom && !(await payer.ready())) return false;
    hasRoom = false;
    if (!(await send(payer, { ...keyOf(stored.bytes), partition, token }, stored))) return false;
  }
  if (hasRoom) payer.skip();
  return true;
}

/** Merges the target's records into what is held here; false if one is not taken. */
async function keepAll(parts: ComparisonParts, records: readonly Uint8Array[]): Promise<boolean> {
  for (const bytes of records) {
    const decoded = decodeRecord(bytes);
    if (!decoded.ok) return false;
    const placed = parts.replica.place(decoded);
    if (!isFor(parts, parts.self, placed.partition, decoded)) continue;
    const { promise, settle } = oneShot<boolean>();
    const stored = { record: decoded.record, bytes };
    parts.replica.merge(placed, stored, (outcome) => settle(outcome.ok));
    if (!(await promise)) return false;
  }
  return true;
}

/** True if the node holds a copy of the key: buckets differ in how many owners do. */
function isFor(
  { ring }: ComparisonParts,
  node: NodeId,
  partition: PartitionId,
  { bucket }: Key,
): boolean {
  const n = ring().bucket(bucket)?.n ?? 0;
  return ring()
    .owners(partition)
    .slice(0, n)
    .some(({ id }) => id === node);
}

async function findOwn(
  { store }: ComparisonParts,
  partition: PartitionId,
  token: Token,
): Promise<readonly StoredRecord[]> {
  const { promise, settle } = oneShot<readonly StoredRecord[] | "unknown">();
  store.find({ partition, token, evenIfDamaged: true }, settle);
  const found = await promise;
  return found === "unknown" ? [] : found;
}

function send(
  payer: Payer,
  placed: Parameters<Payer["send"]>[0],
  stored: StoredRecord,
): Promise<boolean> {
  const { promise, settle } = oneShot<boolean>();
  payer.send(placed, stored, settle);
  return promise;
}

function keyOf(bytes: Uint8Array): Key {
  const key = decodeRecordKey(bytes);
  invariant(key !== undefined, "a record that was read has a key");
  return key;
}
