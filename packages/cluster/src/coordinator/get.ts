import {
  type CausalRecord,
  type Key,
  contextOf,
  emptyRecord,
  encodeContext,
  unexpiredSiblings,
} from "@coterie/core";
import type { Ending } from "../ending.ts";
import { countSiblings } from "../node-counters.ts";
import { isOverWarning } from "../replica/replica.ts";
import type { Failure, GetOutcome, RequestOptions } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import { failure, noAcks } from "./failure.ts";
import { planAgain } from "./plan-again.ts";
import { allSiblings, shownSiblings } from "./presentation.ts";
import type { QuorumAnswer, QuorumRead } from "./quorum-read.ts";
import type { Passenger } from "./read-flights.ts";
import { readQuorum } from "./read-quorum.ts";
import { type RequestPlan, planRequest } from "./request-plan.ts";

/** What a get may allow an answer to be old, in milliseconds. */
const staleMsMax = 60_000;

/** Coordinates one read (Dynamo, section 4.5): any node may. */
export function get(
  coordination: Coordination,
  key: Key,
  options: RequestOptions,
  ending: Ending<GetOutcome>,
): void {
  coordination.counters.gets += 1;
  const planned = planRequest(coordination, key, options);
  if (!planned.ok) return ending.settle(planned);
  const { plan } = planned;
  coordination.hotKeys.noteRead(plan.placed);
  const staleMs = options.maxStaleMs ?? 0;
  if (!Number.isInteger(staleMs) || staleMs < 0 || staleMs > staleMsMax) {
    const message = `max_stale is an integer from 0 to ${staleMsMax} milliseconds`;
    return ending.settle(failure(coordination, "bad-request", "refused", noAcks, message));
  }
  const recent = staleMs === 0 ? undefined : recentRead(coordination, plan, staleMs);
  if (recent !== undefined) return ending.settle(dress(coordination, plan, options, recent));
  const { pressure, readFlights } = coordination;
  const bytes = expectedBytes(coordination, plan);
  if (!pressure.hold(bytes)) {
    const acks = { primaries: 0, fallbacks: 0, required: plan.quorum.r };
    const message = `${pressure.bytes} bytes of values are in flight`;
    return ending.settle(failure(coordination, "overloaded", "refused", acks, message));
  }
  readFlights.read(new Getting(coordination, plan, options, bytes, ending));
}

/**
 * A get that is under way. It holds what its copies take in memory until it ends; a read that
 * failed while the key got other owners is repeated under those.
 */
class Getting implements Passenger {
  readonly #coordination: Coordination;
  readonly #options: RequestOptions;
  readonly #bytes: number;
  readonly #ending: Ending<GetOutcome>;
  #plan: RequestPlan;

  constructor(
    coordination: Coordination,
    plan: RequestPlan,
    options: RequestOptions,
    bytes: number,
    ending: Ending<GetOutcome>,
  ) {
    this.#coordination = coordination;
    this.#plan = plan;
    this.#options = options;
    this.#bytes = bytes;
    this.#ending = ending;
  }

  get plan(): RequestPlan {
    return this.#plan;
  }

  ask(ending: Ending<QuorumRead>): void {
    readQuorum(this.#coordination, this.#plan, ending);
  }

  settle(read: QuorumRead): void {
    if (read.ok) this.#end(read);
    else void this.#askAgain(read);
  }

  fail(error: unknown): void {
    this.#coordination.pressure.give(this.#bytes);
    this.#ending.fail(error);
  }

  async #askAgain(failed: Failure): Promise<void> {
    try {
      const again = await planAgain(this.#coordination, this.#plan, failed);
      if (again === undefined) return this.#end(failed);
      this.#plan = again;
      this.#coordination.readFlights.read(this);
    } catch (error) {
      this.fail(error);
    }
  }

  #end(read: QuorumRead): void {
    let outcome: GetOutcome;
    try {
      outcome = this.#outcomeOf(read);
    } catch (error) {
      return this.fail(error);
    }
    this.#coordination.pressure.give(this.#bytes);
    this.#ending.settle(outcome);
  }

  #outcomeOf(read: QuorumRead): GetOutcome {
    if (!read.ok) return read;
    const { hotKeys } = this.#coordination;
    const mayBeStale = (this.#options.maxStaleMs ?? 0) > 0;
    if (mayBeStale && hotKeys.isReadOften(this.#plan.placed)) hotKeys.recent.keep(this.#plan, read);
    return dress(this.#coordination, this.#plan, this.#options, read);
  }
}

/** What a read has found not long ago, which the get has said will do. */
function recentRead(
  { clock, counters, hotKeys }: Coordination,
  plan: RequestPlan,
  staleMs: number,
): QuorumAnswer | undefined {
  const recent = hotKeys.recent.find(plan, staleMs, clock.monotonicMs());
  if (recent !== undefined) counters.getsStale += 1;
  return recent;
}

/** A read as the client gets it. */
function dress(
  coordination: Coordination,
  { bucket, nowMs, placed }: RequestPlan,
  options: RequestOptions,
  read: QuorumAnswer,
): GetOutcome {
  const record = read.stored?.record ?? emptyRecord;
  countRead(coordination, bucket.name, record, nowMs);
  const show = options.allSiblings === true ? allSiblings : shownSiblings;
  return {
    ok: true,
    siblings: show(bucket, record, nowMs),
    context: options.withoutContext === true ? undefined : contextText(coordination, placed, read),
    acks: read.acks,
  };
}

function contextText(
  { contextSeal }: Coordination,
  key: Key,
  read: QuorumAnswer,
): string | undefined {
  if (read.stored === undefined) return undefined;
  read.shownContext ??= encodeContext(contextOf(read.stored.record), key, contextSeal);
  return read.shownContext;
}

/** What all copies asked for will take in memory, going by this node's own. */
function expectedBytes({ store }: Coordination, { placed, quorum }: RequestPlan): number {
  return store.bytesHeld(placed) * Math.max(quorum.r, quorum.pr);
}

function countRead(
  { counters }: Coordination,
  bucket: string,
  record: CausalRecord,
  nowMs: number,
): void {
  const count = unexpiredSiblings(record.siblings, nowMs).length;
  countSiblings(counters, bucket, count);
  if (count > 1) counters.siblingsReturned += 1;
  if (count > counters.siblingsMax) counters.siblingsMax = count;
  if (isOverWarning(record)) counters.siblingWarnings += 1;
}
