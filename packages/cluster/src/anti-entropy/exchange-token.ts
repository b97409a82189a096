import {
  type Key,
  type NodeId,
  type PartitionId,
  type Token,
  decodeRecord,
  decodeRecordKey,
  equalBytes,
  invariant,
} from "@coterie/core";
import type { PlacedKey, StoredRecord } from "@coterie/storage";
import type { Coordination } from "../coordinator/coordination.ts";
import type { Payer } from "../handoff/debt.ts";
import { oneShot } from "../one-shot.ts";
import type { MergeOutcome } from "../replica/replica.ts";

export interface ExchangeParts extends Pick<
  Coordination,
  "self" | "clock" | "store" | "replica" | "ring"
> {
  readonly target: NodeId;
  /** Told of every record of the target that changed what is held here. */
  readonly onTaken?: (placed: PlacedKey) => void;
}

/** A token under which both do not hold the same. */
export interface Difference {
  readonly partition: PartitionId;
  readonly token: Token;
  /** Whether the other one holds anything there, and whether this node does. */
  readonly isTheirs: boolean;
  readonly isOurs: boolean;
}

/**
 * Makes both hold the same under a token, whoever lacked what: the target's records are merged
 * here, and what this node then holds is merged there. Whole records, never values: what one side
 * has deleted or overwritten stays so. Uses the room that the payer gave for it.
 */
export async function exchangeToken(
  parts: ExchangeParts,
  payer: Payer,
  { partition, token, isTheirs, isOurs }: Difference,
): Promise<boolean> {
  let theirs: readonly Uint8Array[] = [];
  const fence = parts.replica.fence(partition).raised;
  if (isTheirs) {
    const { stamp } = parts.ring();
    const place = { partition, token, evenIfDamaged: true };
    const response = await payer.ask({ kind: "find", stamp, ...place });
    theirs = response?.kind === "found" ? response.records : [];
    if (response?.kind !== "found" || !(await keepAll(parts, theirs, response.fence.raised))) {
      payer.skip();
      return false;
    }
  }
  // Where nothing was, there is now what the other one holds.
  const ours = isOurs ? await findOwn(parts, partition, token) : [];
  const lacking = ours.filter(
    ({ bytes }) =>
      isFor(parts, parts.target, partition, keyOf(bytes)) &&
      !theirs.some((their) => equalBytes(their, bytes)),
  );
  let hasRoom = true;
  for (const stored of lacking) {
    if (!hasRoom && !(await payer.ready())) return false;
    hasRoom = false;
    if (!(await send(payer, { ...keyOf(stored.bytes), partition, token, fence }, stored)))
      return false;
  }
  if (hasRoom) payer.skip();
  return true;
}

/** Merges the target's records into what is held here; false if one is not taken. */
async function keepAll(
  parts: ExchangeParts,
  records: readonly Uint8Array[],
  fence: number,
): Promise<boolean> {
  for (const bytes of records) {
    const decoded = decodeRecord(bytes);
    if (!decoded.ok) return false;
    const placed = { ...parts.replica.place(decoded), fence };
    if (!isFor(parts, parts.self, placed.partition, decoded)) continue;
    const { promise, settle } = oneShot<MergeOutcome>();
    const stored = { record: decoded.record, bytes };
    parts.replica.merge(placed, stored, settle);
    const outcome = await promise;
    if (!outcome.ok) return false;
    if (outcome.changed) parts.onTaken?.(placed);
  }
  return true;
}

/** True if the node holds a copy of the key: buckets differ in how many owners do. */
function isFor(
  { ring }: ExchangeParts,
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
  { store }: ExchangeParts,
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
