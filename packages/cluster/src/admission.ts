import { type ErrorCode, type NodeId, Pressure } from "@coterie/core";
import type { Clock, MonotonicMs } from "@coterie/ports";
import { failure, noAcks } from "./coordinator/failure.ts";
import type { Ending } from "./ending.ts";
import type { NodeCounters } from "./node-counters.ts";
import type { NodeConfig } from "./node-config.ts";
import type { Failure } from "./requests.ts";

/** Of so many requests one is timed. */
const timedOneOf = 4;

/** How long requests may wait for the process unless the configuration says otherwise. */
const queueDelayMs = 25;

/** How busy a node with these bounds is: not at all, to begin with. */
export function newPressure(
  config: Pick<NodeConfig, "inFlightMax" | "inFlightBytesMax" | "tuning">,
): Pressure {
  return new Pressure({
    requestsMax: config.inFlightMax,
    bytesMax: config.inFlightBytesMax,
    delayMsTarget: config.tuning.queueDelayMs ?? queueDelayMs,
  });
}

interface AdmissionParts {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly counters: NodeCounters;
  readonly pressure: Pressure;
  /** Called when the last request has ended. */
  readonly onIdle: () => void;
}

export interface AdmissionStatistics {
  /** Client requests that have not settled. */
  readonly inFlight: number;
  /** Bytes of their values. */
  readonly inFlightBytes: number;
  /** How many of them there may be now. */
  readonly inFlightWindow: number;
  /** How busy the node is, from 0 to 1. */
  readonly pressure: number;
}

/** The way in for client requests: lets them in or refuses them, and counts them out again. */
export class Admission {
  readonly #parts: AdmissionParts;
  #served = 0;
  #isTurnWatched = false;
  #turnSinceMs: MonotonicMs = 0;
  readonly #endTurn = (): void => {
    this.#isTurnWatched = false;
    const { clock, pressure } = this.#parts;
    const now = clock.monotonicMs();
    pressure.noteDelay(now - this.#turnSinceMs, now);
  };

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Begins a request's story of `input`, unless there is too much to do already. */
  serve<Input, Outcome extends { readonly ok: true }>(
    bytes: number,
    input: Input,
    story: (input: Input, ending: Ending<Outcome | Failure>) => void,
    ending: Ending<Outcome | Failure>,
  ): void {
    const { self, clock, pressure } = this.#parts;
    this.watchTurn();
    if (!pressure.begin(bytes)) {
      const message = `${self} has ${pressure.requests} requests in flight`;
      return ending.settle(this.refuse("overloaded", message));
    }
    this.#served += 1;
    const isTimed = this.#served % timedOneOf === 0;
    const sinceMs = isTimed ? clock.monotonicMs() : undefined;
    const served = new ServedRequest(this, bytes, sinceMs, ending);
    try {
      story(input, served);
    } catch (error) {
      served.fail(error);
    }
  }

  /** A request that was let in has ended: how, if it is known, and since when if it was timed. */
  ended(bytes: number, sinceMs: MonotonicMs | undefined, code: ErrorCode | undefined): void {
    const { clock, pressure, onIdle } = this.#parts;
    if (code !== undefined) this.#count(code);
    else if (sinceMs !== undefined) {
      const now = clock.monotonicMs();
      pressure.noteTook(now - sinceMs, now);
    }
    pressure.end(bytes);
    if (pressure.requests === 0) onIdle();
  }

  /** A request that is not let in, counted. */
  refuse(code: ErrorCode, message: string): Failure {
    this.#count(code);
    return failure(this.#parts, code, "refused", noAcks, message);
  }

  statistics(): AdmissionStatistics {
    const { requests, bytes, window, level } = this.#parts.pressure;
    return { inFlight: requests, inFlightBytes: bytes, inFlightWindow: window, pressure: level };
  }

  /** Something came: what comes last in a turn has waited for all that came before it. */
  watchTurn(): void {
    if (this.#isTurnWatched) return;
    this.#isTurnWatched = true;
    const { clock } = this.#parts;
    this.#turnSinceMs = clock.monotonicMs();
    clock.afterTurn(this.#endTurn);
  }

  #count(code: ErrorCode): void {
    const { failures } = this.#parts.counters;
    failures.set(code, (failures.get(code) ?? 0) + 1);
  }
}

/** A request that was let in, counted out when it ends. */
class ServedRequest<Outcome extends { readonly ok: true }> implements Ending<Outcome | Failure> {
  readonly #admission: Admission;
  readonly #bytes: number;
  readonly #sinceMs: MonotonicMs | undefined;
  readonly #ending: Ending<Outcome | Failure>;

  constructor(
    admission: Admission,
    bytes: number,
    sinceMs: MonotonicMs | undefined,
    ending: Ending<Outcome | Failure>,
  ) {
    this.#admission = admission;
    this.#bytes = bytes;
    this.#sinceMs = sinceMs;
    this.#ending = ending;
  }

  settle(outcome: Outcome | Failure): void {
    const code = outcome.ok ? undefined : outcome.code;
    this.#admission.ended(this.#bytes, this.#sinceMs, code);
    this.#ending.settle(outcome);
  }

  fail(error: unknown): void {
    this.#admission.ended(this.#bytes, undefined, "internal");
    this.#ending.fail(error);
  }
}
