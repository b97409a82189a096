import {
  type CausalRecord,
  type Key,
  type PartitionId,
  type Token,
  decodeRecord,
  emptyRecord,
  encodeRecord,
  latin1,
  mergeRecords,
} from "@coterie/core";
import type { RecordStore } from "@coterie/storage";
import type { AntiEntropy } from "../anti-entropy/anti-entropy.ts";
import type { Coordination } from "../coordinator/coordination.ts";
import { otherHolders } from "../moves/roles.ts";
import { oneShot } from "../one-shot.ts";
import { askPeer } from "../ask-peer.ts";
import { pause } from "../pause.ts";

/** How long one question to a peer may take, in milliseconds. */
const callMs = 2000;
/** Pause before what could not be refilled is tried again, in milliseconds. */
const retryMs = 1000;

/**
 * Refills what damage took from this node's store. A lost record may have been one of the w copies
 * of an acknowledged write, so one peer's word is not enough: a token counts as refilled when
 * *every* other holder has answered, and until then this node's answer is `unknown`.
 *
 * Runs until nothing is damaged, or the node stops.
 */
export async function refill(
  coordination: Coordination,
  antiEntropy: Pick<AntiEntropy, "exchangeAll">,
  isStopped: () => boolean,
): Promise<void> {
  const { store, clock } = coordination;
  while (!isStopped()) {
    const { tokens, partitions, isWhole } = store.damage();
    if (tokens.length === 0 && partitions.length === 0 && isWhole) return;
    let isComplete = true;
    for (const { partition, token } of tokens) {
      if (await refillToken(coordination, partition, token)) store.markRefilled(partition, token);
      else isComplete = false;
      if (isStopped()) return;
    }
    if (!isWhole || partitions.length > 0) {
      // Keys that nobody can name: where every other holder was compared with, none is left.
      const isExchanged = await antiEntropy.exchangeAll();
      if (isExchanged) noteWhole(store, partitions);
      else isComplete = false;
    }
    if (isComplete) continue;
    await pause(clock, retryMs);
  }
}

function noteWhole(store: RecordStore, partitions: readonly PartitionId[]): void {
  store.markWhole();
  for (const partition of partitions) store.markPartitionWhole(partition);
}

/** Asks every other holder for what it holds under `token`; true if all answered, and is stored. */
async function refillToken(
  coordination: Coordination,
  partition: PartitionId,
  token: Token,
): Promise<boolean> {
  const { stamp } = coordination.ring();
  const request = { kind: "find", stamp, partition, token, evenIfDamaged: true } as const;
  const others = otherHolders(coordination.ring(), coordination.self, partition);
  const asked = others.map((member) => askPeer(coordination, member, request, callMs));
  const merged = new Map<string, Key & { record: CausalRecord }>();
  let fence = Infinity;
  for (const pending of asked) {
    const response = await pending;
    if (response?.kind !== "found") return false;
    fence = Math.min(fence, response.fence.raised);
    for (const bytes of response.records) {
      const decoded = decodeRecord(bytes);
      if (!decoded.ok) return false;
      const name = `${decoded.bucket}\0${latin1(decoded.key)}`;
      const known = merged.get(name)?.record ?? emptyRecord;
      const record = mergeRecords(known, decoded.record);
      merged.set(name, { bucket: decoded.bucket, key: decoded.key, record });
    }
  }
  for (const { bucket, key, record } of merged.values()) {
    if (!(await keep(coordination, { bucket, key }, record, fence))) return false;
  }
  return true;
}

function keep(
  { replica }: Coordination,
  key: Key,
  record: CausalRecord,
  fence: number,
): Promise<boolean> {
  const { promise, settle } = oneShot<boolean>();
  const stored = { record, bytes: encodeRecord(key, record) };
  replica.merge({ ...replica.place(key), fence }, stored, (outcome) => settle(outcome.ok));
  return promise;
}
