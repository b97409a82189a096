import {
  type BucketSettings,
  type CausalRecord,
  type Member,
  type PartitionId,
  type RingStamp,
  type Token,
  contextOf,
  decodeRecord,
  emptyRecord,
  encodeContext,
  latin1,
  mergeRecords,
  partitionOf,
} from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { FindRequest, ListRequest, ListedEntry, PeerResponse } from "../messages.ts";
import type { Failure, ScanItem, ScanOptions, ScanOutcome } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import { failure, noAcks } from "./failure.ts";
import { callToScan } from "./replica-calls.ts";
import { type GatherPlan, type Gathered, gather } from "./gather.ts";
import { gatherJointly } from "./gather-jointly.ts";
import { shownSiblings } from "./presentation.ts";
import { isCurrent } from "./request-plan.ts";
import { cursorOf, parseToken } from "./token-text.ts";

/** Tokens listed and looked up at once; bounds what a page holds in memory. */
const batchTokens = 64;

/** Most items of one page. */
const scanLimitMax = 10_000;

/**
 * One page of a bucket's keys in hash order. The cursor is the last token seen, so it needs no
 * state at any node and survives everything: a key present throughout a scan is returned; one
 * written or deleted meanwhile may or may not be.
 */
export async function scan(
  coordination: Coordination,
  bucketName: string,
  options: ScanOptions,
): Promise<ScanOutcome> {
  const checked = checkScan(coordination, bucketName, options);
  if (!checked.ok) return checked;
  const { bucket } = checked;
  const { partitions } = coordination.ring().settings;
  const { clock, tuning } = coordination;
  const start = clock.monotonicMs();
  const deadline = start + tuning.timeoutMsDefault;
  const nowMs = clock.wallMs();
  // A page that takes long ends early: one that failed at its deadline would make no progress.
  const fullAt = start + Math.min(tuning.timeoutMsDefault / 2, options.patienceMs ?? Infinity);
  const items: ScanItem[] = [];
  let after = checked.after;
  let partition = after === undefined ? 0 : partitionOf(after, partitions);
  const place = { bucket, deadline, tombstones: options.tombstones };
  let hasAdvanced = false;
  while (partition < partitions) {
    const batch = await scanBatch(coordination, { ...place, partition, after });
    if (!batch.ok) {
      // Who asks again goes on from here: damage is met a batch at a time, and refilled after it.
      if (hasAdvanced) break;
      return batch;
    }
    hasAdvanced = true;
    for (const found of batch.found) {
      const item = itemOf(coordination, bucket, found, { ...options, nowMs });
      if (item !== undefined) items.push(item);
    }
    after = batch.last;
    if (batch.isExhausted) partition += 1;
    if (items.length >= options.limit || clock.monotonicMs() >= fullAt) break;
  }
  const isOver = partition >= partitions;
  return { ok: true, items, cursor: isOver ? undefined : cursorOf(after, partition, partitions) };
}

type CheckedScan =
  | { readonly ok: true; readonly bucket: BucketSettings; readonly after: Token | undefined }
  | Failure;

function checkScan(
  coordination: Coordination,
  bucketName: string,
  { limit, cursor }: ScanOptions,
): CheckedScan {
  const bucket = coordination.ring().bucket(bucketName);
  if (bucket === undefined) {
    const message = `there is no bucket ${bucketName}`;
    return failure(coordination, "no-such-bucket", "refused", noAcks, message);
  }
  if (!Number.isInteger(limit) || limit < 1 || limit > scanLimitMax) {
    const message = `limit is from 1 to ${scanLimitMax}, not ${limit}`;
    return failure(coordination, "bad-request", "refused", noAcks, message);
  }
  if (cursor === undefined) return { ok: true, bucket, after: undefined };
  const after = parseToken(cursor);
  if (after !== undefined) return { ok: true, bucket, after };
  const message = "the cursor is not one that a scan returned";
  return failure(coordination, "bad-request", "refused", noAcks, message);
}

interface BatchPlace {
  readonly bucket: BucketSettings;
  readonly partition: PartitionId;
  readonly after: Token | undefined;
  readonly deadline: MonotonicMs;
  readonly tombstones: boolean;
}

/** Under one ring: what is listed is looked up where it was listed. */
interface BatchPlan extends BatchPlace {
  readonly stamp: RingStamp;
  readonly present: readonly Member[];
  /** While the partition moves: who is asked as well. */
  readonly next: readonly Member[] | undefined;
}

interface FoundRecord {
  readonly key: Uint8Array;
  readonly record: CausalRecord;
}

type Batch =
  | {
      readonly ok: true;
      readonly found: readonly FoundRecord[];
      readonly last: Token | undefined;
      readonly isExhausted: boolean;
    }
  | Failure;

/** One batch; tried again if it fails while the partition got other owners. */
async function scanBatch(coordination: Coordination, place: BatchPlace): Promise<Batch> {
  for (;;) {
    const plan = planBatch(coordination, place);
    const batch = await scanUnder(coordination, plan);
    if (batch.ok) return batch;
    await coordination.agreement.reachHeard(plan.stamp.epoch, place.deadline);
    const isLate = coordination.clock.monotonicMs() >= place.deadline;
    if (isLate || isCurrent(coordination, plan)) return batch;
  }
}

function planBatch(coordination: Coordination, place: BatchPlace): BatchPlan {
  const ring = coordination.ring();
  const { bucket, partition } = place;
  const present = ring.owners(partition).slice(0, bucket.n);
  const next = ring.next(partition)?.slice(0, bucket.n);
  return { ...place, stamp: ring.stamp, present, next };
}

async function scanUnder(coordination: Coordination, plan: BatchPlan): Promise<Batch> {
  const { bucket } = plan;
  const listed = await listTokens(coordination, plan);
  if (!listed.ok) return unavailable(coordination, listed, bucket);
  const { tokens, isExhausted } = mergeLists(listed.answers.map(({ answer }) => answer));
  const lookups = tokens.map((token) => findRecords(coordination, plan, token));
  const found: FoundRecord[] = [];
  for (const lookup of lookups) {
    const gathered = await lookup;
    if (!gathered.ok) return unavailable(coordination, gathered, bucket);
    found.push(
      ...mergeFound(
        bucket,
        gathered.answers.flatMap(({ answer }) => answer),
      ),
    );
  }
  return { ok: true, found, last: tokens.at(-1) ?? plan.after, isExhausted };
}

function listTokens(
  coordination: Coordination,
  plan: BatchPlan,
): Promise<Gathered<readonly ListedEntry[]>> {
  const { stamp, partition, after } = plan;
  const page = { partition, after, limit: batchTokens };
  // What holds nothing at r replicas holds nothing: a write would be known to one of them.
  const skipsEmpty = !plan.tombstones;
  const request = { kind: "list", stamp, ...page, evenIfDamaged: false, skipsEmpty } as const;
  return gatherFrom(coordination, plan, {
    request,
    askSelf: (settle) => coordination.replica.receiveList(request, settle),
    answerOf: (response) => (response.kind === "listed" ? response.entries : undefined),
  });
}

interface Question<Answer> {
  readonly request: ListRequest | FindRequest;
  readonly askSelf: (settle: (response: PeerResponse) => void) => void;
  readonly answerOf: (response: PeerResponse) => Answer | undefined;
}

/** Puts one question to as many of a partition's replicas as a read asks. */
function gatherFrom<Answer>(
  coordination: Coordination,
  { bucket, deadline, present, next }: BatchPlan,
  { request, askSelf, answerOf }: Question<Answer>,
): Promise<Gathered<Answer>> {
  const { clock, counters, routing, self } = coordination;
  const ask: GatherPlan<Answer>["ask"] = (member, settle, isHedge) => {
    const take = (response: PeerResponse | undefined): void =>
      settle(response === undefined ? undefined : answerOf(response));
    if (member.id === self) askSelf(take);
    else callToScan(coordination, member, request, deadline, take, isHedge);
  };
  const required = bucket.r;
  return new Promise((resolve) => {
    if (next !== undefined) {
      const asked = { deadline, required, ask };
      return gatherJointly(coordination, { present, next }, asked, resolve);
    }
    const members = routing.order(present, clock.monotonicMs());
    gather({ clock, counters, deadline, routing, members, required, ask }, resolve);
  });
}

/** Tokens that all lists speak of: up to the first end of a list that was cut short. */
function mergeLists(lists: readonly (readonly ListedEntry[])[]): {
  readonly tokens: readonly Token[];
  readonly isExhausted: boolean;
} {
  let horizon: Token | undefined;
  for (const list of lists) {
    const last = list.at(-1)?.token;
    if (list.length < batchTokens || last === undefined) continue;
    if (horizon === undefined || compareTokens(last, horizon) < 0) horizon = last;
  }
  const tokens: Token[] = [];
  for (const { token } of lists.flat().toSorted((a, b) => compareTokens(a.token, b.token))) {
    if (horizon !== undefined && compareTokens(token, horizon) > 0) break;
    const previous = tokens.at(-1);
    if (previous === undefined || compareTokens(previous, token) !== 0) tokens.push(token);
  }
  return { tokens, isExhausted: horizon === undefined };
}

function findRecords(
  coordination: Coordination,
  plan: BatchPlan,
  token: Token,
): Promise<Gathered<readonly Uint8Array[]>> {
  const { partition, stamp } = plan;
  const request = { kind: "find", stamp, partition, token, evenIfDamaged: false } as const;
  return gatherFrom(coordination, plan, {
    request,
    askSelf: (settle) => coordination.replica.receiveFind(request, settle),
    answerOf: (response) => {
      if (response.kind !== "found") return undefined;
      coordination.fences.note(partition, response.fence);
      const isBehind = coordination.fences.isBehind(partition, response.fence.raised);
      return isBehind ? undefined : response.records;
    },
  });
}

/** Merges what replicas hold under one token: one key, or very rarely several. */
function mergeFound(
  bucket: BucketSettings,
  records: readonly Uint8Array[],
): readonly FoundRecord[] {
  const byKey = new Map<string, FoundRecord>();
  for (const bytes of records) {
    const decoded = decodeRecord(bytes);
    if (!decoded.ok || decoded.bucket !== bucket.name) continue;
    const name = latin1(decoded.key);
    const known = byKey.get(name)?.record ?? emptyRecord;
    byKey.set(name, { key: decoded.key, record: mergeRecords(known, decoded.record) });
  }
  return [...byKey.values()];
}

function itemOf(
  coordination: Coordination,
  bucket: BucketSettings,
  { key, record }: FoundRecord,
  { prefix, tombstones, nowMs }: ScanOptions & { readonly nowMs: number },
): ScanItem | undefined {
  const siblings = shownSiblings(bucket, record, nowMs);
  if (siblings.length === 0 && !tombstones) return undefined;
  if (prefix !== undefined && !startsWith(key, prefix)) return undefined;
  let bytes = 0;
  for (const sibling of siblings) bytes += sibling.value.length;
  const place = { bucket: bucket.name, key };
  return {
    key,
    context: encodeContext(contextOf(record), place, coordination.contextSeal),
    siblings: siblings.length,
    bytes,
    expires: siblings.some(({ expiresAtMs }) => expiresAtMs !== undefined),
  };
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return key.length >= prefix.length && prefix.every((byte, at) => byte === key[at]);
}

function compareTokens(left: Token, right: Token): number {
  return left.high - right.high || left.low - right.low;
}

function unavailable(
  coordination: Coordination,
  gathered: Gathered<unknown> & { readonly ok: false },
  bucket: BucketSettings,
): Failure {
  const acks = { primaries: gathered.answers.length, fallbacks: 0, required: bucket.r };
  const message = "too few replicas of a partition answered the scan";
  return failure(coordination, gathered.code, "refused", acks, message);
}
