import { type Member, type Token, type TreeDifference, invariant } from "@coterie/core";
import type { Reply } from "@coterie/ports";
import type { StoredRecord } from "@coterie/storage";
import type { Coordination } from "../coordinator/coordination.ts";
import { mergeCopy } from "../coordinator/replica-calls.ts";
import type {
  FetchedResponse,
  PeerRefusal,
  PeerRequest,
  PeerResponse,
  RecordOutcome,
  SentRecord,
} from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import type { FencedKey } from "../reaping/fenced-key.ts";
import { type BatchRoom, type BulkPayer, type PaymentOutcome, callMs } from "./debt.ts";
import type { Pace, Spent } from "./pace.ts";
import { pause } from "../pause.ts";

/** Records under way to one target; while clients are many, and until it has answered at all. */
const recordsMax = 256;
const recordsMaxYielding = 32;
const bytesMax = 4 * 1024 * 1024;
/** So long at most it does not look whether the node stops. */
const pauseMsMax = 100;
/** So long a write may be under way, at an idle node, that not all owners have. */
const writingMs = 25;
/** How long a batch may take, in milliseconds: a disk may have to look for each record. */
const batchMs = 5000;
/** Records of one batch; small ones fill its bytes with so many. */
const batchRecords = 1024;
/** Of all batches: more records only live until the disk is synced, and cost a collection. */
const batchedRecordsMax = 8192;
/** What a message takes besides the record in it, as the rate counts it. */
const overheadBytes = 64;

/** A record that is sent alone; its bytes are counted once they are known. */
const one: BatchRoom = { records: 1, bytes: 0 };

/**
 * Refusals that concern the record, or this node's copy of its partition, and not the target:
 * others may well be taken. A node that is behind a fence throws its copy away only once its hints
 * of the partition are delivered: those must not wait until the records of that copy are taken.
 */
const ofRecord: ReadonlySet<PeerRefusal> = new Set([
  "behind-fence",
  "clock-skew",
  "malformed",
  "too-large",
]);

export type PaymentPorts = Pick<
  Coordination,
  "clock" | "self" | "fences" | "replica" | "network" | "ring"
>;

/** `unreachable`: a request was surely not carried out. */
export type PaymentProblem = PeerRefusal | "unreachable";

export interface PaymentParts extends PaymentPorts {
  readonly member: Member;
  readonly pace: Pace;
  readonly isStopped: () => boolean;
  /** See `Pace`. */
  readonly isUrgent?: boolean | undefined;
  /** A record was acknowledged; with what the rate counts for it. */
  readonly onPaid: (bytes: number) => void;
  /** True for a refusal which says that the target has had the record. */
  readonly wasPaidBefore: (code: PeerRefusal) => boolean;
  /** One was sent in vain. */
  readonly onFailed: () => void;
}

/** One attempt to pay a debt: from the first record until all are sent, or one is not taken. */
export class Payment implements BulkPayer {
  readonly #parts: PaymentParts;
  #records = 0;
  #bytes = 0;
  #outcome: PaymentOutcome = "paid";
  #spent = 0;
  #problem: PaymentProblem | undefined;
  /** One record goes first: a target that is away costs one call and not hundreds. */
  #hasAnswered = false;
  /** Whoever waits until something has settled. */
  #waiting: (() => void)[] = [];

  constructor(parts: PaymentParts) {
    this.#parts = parts;
  }

  /** Bytes sent and received, as the rate counts them. */
  get spent(): number {
    return this.#spent;
  }

  /** Why something was not paid, the last time. */
  get problem(): PaymentProblem | undefined {
    return this.#problem;
  }

  async ready(): Promise<boolean> {
    return (await this.#claim(() => this.#roomForOne())) !== undefined;
  }

  room(): Promise<BatchRoom | undefined> {
    return this.#claim(() => this.#roomForBatch());
  }

  async mayGoOn(): Promise<boolean> {
    while (this.#isGoingOn()) {
      const pauseMs = this.#pauseMs();
      if (pauseMs === 0) return true;
      await pause(this.#parts.clock, pauseMs);
    }
    return false;
  }

  together(most: number): number {
    const { isUrgent = false, pace } = this.#parts;
    return pace.together(most, isUrgent);
  }

  moment(): Promise<void> {
    const { clock, pace } = this.#parts;
    return pause(clock, pace.momentMs(writingMs));
  }

  send(key: FencedKey, stored: StoredRecord, settle: (isPaid: boolean) => void): void {
    const { clock, member } = this.#parts;
    const now = clock.monotonicMs();
    const bytes = stored.bytes.length + overheadBytes;
    this.#spend({ bytes, records: 1 });
    this.#bytes += bytes;
    const call = { placed: key, deadline: now + callMs, stamp: this.#parts.ring().stamp };
    mergeCopy(this.#parts, member, call, stored, (outcome) => {
      this.#bytes -= bytes;
      settle(this.#note(outcome.ok ? "changed" : outcome.code, bytes));
      this.skip();
    });
  }

  skip(): void {
    this.leave(one);
  }

  leave({ records, bytes }: BatchRoom): void {
    invariant(this.#records >= records, "what is given back was taken");
    this.#records -= records;
    this.#bytes -= bytes;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  ask(request: PeerRequest, waitMs: number = callMs): Promise<PeerResponse | undefined> {
    const { clock, network, member } = this.#parts;
    const { promise, settle } = oneShot<PeerResponse | undefined>();
    const now = clock.monotonicMs();
    this.#spend({ bytes: overheadBytes });
    network.call(member.address, request, now + waitMs, (reply) => {
      const hasAnswered = reply.ok && reply.response.kind !== "refused";
      if (hasAnswered) this.#hasAnswered = true;
      else this.#fail(problemOf(reply));
      if (reply.ok) this.#spend(spentFor(reply.response));
      settle(reply.ok && hasAnswered ? reply.response : undefined);
    });
    return promise;
  }

  async fetch(room: BatchRoom, tokens: readonly Token[]): Promise<FetchedResponse | undefined> {
    const { clock, pace, ring } = this.#parts;
    const { stamp } = ring();
    // Until it is known what it comes to, it is taken for all that there is room for.
    pace.spend({ bytes: room.bytes }, clock.monotonicMs());
    const request = { kind: "fetch", stamp, tokens, bytesMax: room.bytes } as const;
    const response = await this.ask(request, batchMs);
    pace.spend({ bytes: -room.bytes }, clock.monotonicMs());
    if (response === undefined) return undefined;
    if (response.kind === "fetched") {
      if (response.tokens > 0 && response.tokens <= tokens.length) return response;
    }
    this.#fail("malformed");
    return undefined;
  }

  async sendAll(records: readonly SentRecord[]): Promise<readonly boolean[]> {
    const { fences, onFailed, ring } = this.#parts;
    const { stamp } = ring();
    const bytes = records.reduce((sum, { record }) => sum + record.length, 0);
    this.#spend({ bytes, records: records.length });
    const response = await this.ask({ kind: "merge-all", stamp, records }, batchMs);
    if (response?.kind !== "merged-all" || response.outcomes.length !== records.length) {
      if (response !== undefined) this.#fail("malformed");
      return records.map(() => {
        onFailed();
        return false;
      });
    }
    const { outcomes } = response;
    if (outcomes.includes("behind-fence")) fences.noteRefused();
    return outcomes.map((outcome, at) => this.#note(outcome, records[at]?.record.length ?? 0));
  }

  async finish(): Promise<PaymentOutcome> {
    while (this.#records > 0) await this.#somethingSettled();
    return this.#parts.isStopped() ? "stopped" : this.#outcome;
  }

  /** What became of a record; true if it is durable at the target. */
  #note(outcome: RecordOutcome, bytes: number): boolean {
    const { onPaid, onFailed, wasPaidBefore } = this.#parts;
    if (outcome === "changed" || outcome === "unchanged" || wasPaidBefore(outcome)) {
      this.#hasAnswered = true;
      onPaid(bytes);
      return true;
    }
    onFailed();
    this.#problem = outcome;
    this.#end(ofRecord.has(outcome) ? "stopped" : "target-failed");
    return false;
  }

  #fail(problem: PaymentProblem): void {
    this.#problem = problem;
    this.#end("target-failed");
  }

  /** Waits for room, and takes it in the turn in which it is there. */
  async #claim(roomNow: () => BatchRoom | undefined): Promise<BatchRoom | undefined> {
    while (this.#isGoingOn()) {
      const room = roomNow();
      if (room === undefined) {
        await this.#somethingSettled();
        continue;
      }
      const pauseMs = this.#pauseMs();
      if (pauseMs > 0) {
        await pause(this.#parts.clock, pauseMs);
        continue;
      }
      this.#records += room.records;
      this.#bytes += room.bytes;
      return room;
    }
    return undefined;
  }

  /** How long the rate says to wait. */
  #pauseMs(): number {
    const { clock, pace } = this.#parts;
    return Math.min(pace.pauseMs(clock.monotonicMs()), pauseMsMax);
  }

  #spend(spent: Spent): void {
    this.#spent += spent.bytes;
    const { clock, isUrgent = false, pace } = this.#parts;
    pace.spend({ ...spent, isUrgent }, clock.monotonicMs());
  }

  /** A record that is refused for itself does not keep others from being sent. */
  #isGoingOn(): boolean {
    return this.#outcome !== "target-failed" && !this.#parts.isStopped();
  }

  #roomForOne(): BatchRoom | undefined {
    if (!this.#hasAnswered) return this.#records === 0 ? one : undefined;
    const most = this.#parts.pace.isYielding ? recordsMaxYielding : recordsMax;
    return this.#records < most && this.#bytes < bytesMax ? one : undefined;
  }

  #roomForBatch(): BatchRoom | undefined {
    const { pace } = this.#parts;
    const isAlone = this.#records === 0;
    const bytes = pace.batchBytes;
    if (!this.#hasAnswered || pace.isYielding) {
      return isAlone ? { records: recordsMaxYielding, bytes } : undefined;
    }
    const hasRoom =
      isAlone ||
      (this.#bytes + bytes <= bytesMax && this.#records + batchRecords <= batchedRecordsMax);
    return hasRoom ? { records: batchRecords, bytes } : undefined;
  }

  #end(outcome: PaymentOutcome): void {
    if (this.#outcome !== "target-failed") this.#outcome = outcome;
  }

  #somethingSettled(): Promise<void> {
    const { promise, settle } = oneShot<void>();
    this.#waiting.push(settle);
    return promise;
  }
}

function problemOf(reply: Reply<PeerResponse>): PaymentProblem {
  if (!reply.ok) return reply.reason === "timeout" ? "timeout" : "unreachable";
  return reply.response.kind === "refused" ? reply.response.code : "malformed";
}

const digestBytes = 8;
/** Of one token and its digest in a list. */
const entryBytes = 24;

function spentFor(response: PeerResponse): Spent {
  const { kind } = response;
  if (kind === "looked") return spentForEntries(response.entries.length);
  if (kind === "compared") return spentForDifferences(response.differences);
  if (kind === "found") return spentForRecords(response.records);
  if (kind !== "fetched") return { bytes: 0 };
  return spentForRecords(response.records.map(({ record }) => record));
}

function spentForDifferences(differences: readonly TreeDifference[]): Spent {
  let bytes = 0;
  let entries = 0;
  for (const { holds } of differences) {
    if (holds.kind === "digests") bytes += holds.digests.length * digestBytes;
    else entries += holds.entries.length;
  }
  return { bytes: bytes + entries * entryBytes, entries };
}

function spentForEntries(entries: number): Spent {
  return { bytes: entries * entryBytes, entries };
}

function spentForRecords(records: readonly Uint8Array[]): Spent {
  const bytes = records.reduce((sum, record) => sum + record.length, 0);
  return { bytes, records: records.length };
}
