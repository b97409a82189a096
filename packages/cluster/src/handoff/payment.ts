import { type Member, type TreeDifference, invariant } from "@coterie/core";
import type { Reply } from "@coterie/ports";
import type { StoredRecord } from "@coterie/storage";
import type { Coordination } from "../coordinator/coordination.ts";
import { mergeCopy } from "../coordinator/replica-calls.ts";
import type { PeerRefusal, PeerRequest, PeerResponse } from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import type { FencedKey } from "../reaping/fenced-key.ts";
import type { Payer, PaymentOutcome } from "./debt.ts";
import type { Pace } from "./pace.ts";

/** Records under way to one target; while clients are many, and until it has answered at all. */
const recordsMax = 256;
const recordsMaxYielding = 32;
const bytesMax = 4 * 1024 * 1024;
/** So long at most it does not look whether the node stops. */
const pauseMsMax = 100;
/** How long one record, or one answer, may take, in milliseconds. */
const callMs = 2000;
/** What a message takes besides the record in it, as the rate counts it. */
const overheadBytes = 64;

/** Refusals that concern the record and not the target: others may well be taken. */
const ofRecord: ReadonlySet<PeerRefusal> = new Set(["clock-skew", "malformed", "too-large"]);

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
  /** A record was acknowledged; with what the rate counts for it. */
  readonly onPaid: (bytes: number) => void;
  /** True for a refusal which says that the target has had the record. */
  readonly wasPaidBefore: (code: PeerRefusal) => boolean;
  /** One was sent in vain. */
  readonly onFailed: () => void;
}

/** One attempt to pay a debt: from the first record until all are sent, or one is not taken. */
export class Payment implements Payer {
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
    const { clock, pace } = this.#parts;
    while (this.#isGoingOn()) {
      if (!this.#hasRoom()) {
        await this.#somethingSettled();
        continue;
      }
      const now = clock.monotonicMs();
      const pauseMs = pace.pauseMs(now);
      if (pauseMs === 0) {
        this.#records += 1;
        return true;
      }
      const { promise, settle } = oneShot<void>();
      clock.at(now + Math.min(pauseMs, pauseMsMax), settle);
      await promise;
    }
    return false;
  }

  send(key: FencedKey, stored: StoredRecord, settle: (isPaid: boolean) => void): void {
    const { clock, member, onPaid, onFailed, wasPaidBefore } = this.#parts;
    const now = clock.monotonicMs();
    const bytes = stored.bytes.length + overheadBytes;
    this.#spend(bytes);
    this.#bytes += bytes;
    mergeCopy(this.#parts, member, key, stored, now + callMs, (outcome) => {
      this.#bytes -= bytes;
      const isSettled = outcome.ok || wasPaidBefore(outcome.code);
      if (isSettled) {
        this.#hasAnswered = true;
        onPaid(bytes);
      } else {
        onFailed();
        this.#problem = outcome.code;
        this.#end(ofRecord.has(outcome.code) ? "stopped" : "target-failed");
      }
      settle(isSettled);
      this.skip();
    });
  }

  skip(): void {
    invariant(this.#records > 0, "what is given back was taken");
    this.#records -= 1;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  ask(request: PeerRequest): Promise<PeerResponse | undefined> {
    const { clock, network, member } = this.#parts;
    const { promise, settle } = oneShot<PeerResponse | undefined>();
    const now = clock.monotonicMs();
    this.#spend(overheadBytes);
    network.call(member.address, request, now + callMs, (reply) => {
      const hasAnswered = reply.ok && reply.response.kind !== "refused";
      if (hasAnswered) this.#hasAnswered = true;
      else {
        this.#problem = problemOf(reply);
        this.#end("target-failed");
      }
      if (reply.ok) this.#spend(answerBytes(reply.response));
      settle(reply.ok && hasAnswered ? reply.response : undefined);
    });
    return promise;
  }

  async finish(): Promise<PaymentOutcome> {
    while (this.#records > 0) await this.#somethingSettled();
    return this.#parts.isStopped() ? "stopped" : this.#outcome;
  }

  #spend(bytes: number): void {
    this.#spent += bytes;
    this.#parts.pace.spend(bytes, this.#parts.clock.monotonicMs());
  }

  /** A record that is refused for itself does not keep others from being sent. */
  #isGoingOn(): boolean {
    return this.#outcome !== "target-failed" && !this.#parts.isStopped();
  }

  #hasRoom(): boolean {
    if (!this.#hasAnswered) return this.#records === 0;
    const most = this.#parts.pace.isYielding ? recordsMaxYielding : recordsMax;
    return this.#records < most && this.#bytes < bytesMax;
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

function answerBytes(response: PeerResponse): number {
  if (response.kind === "listed") return response.entries.length * entryBytes;
  if (response.kind === "compared") {
    return response.differences.reduce((sum, { holds }) => sum + holdingBytes(holds), 0);
  }
  if (response.kind !== "found") return 0;
  return response.records.reduce((sum, record) => sum + record.length, 0);
}

function holdingBytes(holds: TreeDifference["holds"]): number {
  const { kind } = holds;
  return kind === "digests"
    ? holds.digests.length * digestBytes
    : holds.entries.length * entryBytes;
}
