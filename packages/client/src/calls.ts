import { type Key, keyBytesMax, lifetimeProblem, limits } from "@coterie/core";
import type { KvScan } from "@coterie/protocol";
import type { CallOptions, DeleteOptions, GetOptions, PutOptions } from "./call-options.ts";
import { CoterieError } from "./coterie-error.ts";
import type { Settler } from "./engine/call.ts";
import type { TimedRequest } from "./engine/attempt.ts";
import type { Engine } from "./engine/engine.ts";

/** Milliseconds an operation may take at most: a node gives up later ones itself. */
const timeoutMsMax = 60_000;
/** What a get may allow an answer to be old. */
const staleMsMax = 60_000;
/** Replicas that an operation may ask for at most. */
const quorumMax = 64;

export interface PutValue {
  readonly value: Uint8Array;
  readonly contentType: string;
}

/** Makes requests of operations, with their checks and their defaults, and has them carried out. */
export class Calls {
  readonly engine: Engine;
  readonly #timeoutMs: number;
  readonly #mayRetry: boolean;
  readonly #mayHedge: boolean;

  constructor(
    engine: Engine,
    defaults: { readonly timeoutMs: number; readonly retries: boolean; readonly hedges: boolean },
  ) {
    this.engine = engine;
    this.#timeoutMs = checkTimeout(defaults.timeoutMs);
    this.#mayRetry = defaults.retries;
    this.#mayHedge = defaults.hedges;
  }

  /** How long an operation with these options may take. */
  timeoutMs(options: CallOptions): number {
    return options.timeoutMs === undefined ? this.#timeoutMs : checkTimeout(options.timeoutMs);
  }

  get({ bucket, key }: Key, options: GetOptions, settler: Settler): void {
    const { r, pr, strict, hedge, allSiblings = false, maxStaleMs = 0 } = options;
    checkQuorum(r, pr);
    checkInteger("maxStaleMs", maxStaleMs, 0, staleMsMax);
    const mayHedge = this.#mayHedge && hedge !== false;
    this.#start(
      { kind: "get", bucket, key, r, pr, strict, timeoutMs: undefined, allSiblings, maxStaleMs },
      options,
      settler,
      mayHedge,
    );
  }

  put({ bucket, key }: Key, put: PutValue, options: PutOptions, settler: Settler): void {
    const { w, pw, strict, context, ifAbsent = false, contentType = put.contentType } = options;
    const { value } = put;
    checkQuorum(w, pw);
    const { ttlMs } = options;
    const expiresAtMs = options.expiresAt?.getTime();
    const problem = lifetimeProblem({ ttlMs, expiresAtMs });
    if (problem !== undefined) throw new CoterieError({ code: "bad-request", message: problem });
    if (value.length > limits.valueBytesMax) {
      const message = `the value has ${value.length} bytes, more than ${limits.valueBytesMax}`;
      throw new CoterieError({ code: "too-large", message });
    }
    this.#start(
      {
        kind: "put",
        bucket,
        key,
        value,
        context: context?.toString(),
        contentType,
        w,
        pw,
        strict,
        timeoutMs: undefined,
        ttlMs,
        expiresAtMs,
        // Drawn once: however often the put is sent, it is one write.
        writeId: this.engine.random.writeId(),
        returnBody: false,
        ifAbsent,
      },
      options,
      settler,
      false,
    );
  }

  delete({ bucket, key }: Key, options: DeleteOptions, settler: Settler): void {
    const { w, pw, strict, context } = options;
    checkQuorum(w, pw);
    this.#start(
      {
        kind: "delete",
        bucket,
        key,
        context: context?.toString(),
        w,
        pw,
        strict,
        timeoutMs: undefined,
        writeId: this.engine.random.writeId(),
      },
      options,
      settler,
      false,
    );
  }

  scan(request: Omit<KvScan, "kind">, options: CallOptions, settler: Settler): void {
    if (request.prefix.length > keyBytesMax) {
      const message = `a prefix has at most ${keyBytesMax} bytes`;
      throw new CoterieError({ code: "bad-request", message });
    }
    checkInteger("pageSize", request.limit, 0, 100_000);
    this.#start({ kind: "scan", ...request }, options, settler, false);
  }

  #start(request: TimedRequest, options: CallOptions, settler: Settler, mayHedge: boolean): void {
    const begunMs = this.engine.clock.monotonicMs();
    const { done, failed } = settler;
    this.engine.start({
      request,
      begunMs,
      deadlineMs: begunMs + this.timeoutMs(options),
      mayRetry: options.retries ?? this.#mayRetry,
      mayHedge,
      signal: options.signal,
      done,
      failed,
    });
  }
}

function checkTimeout(timeoutMs: number): number {
  if (timeoutMs >= 1 && timeoutMs <= timeoutMsMax) return timeoutMs;
  const message = `timeoutMs is from 1 to ${timeoutMsMax}, not ${timeoutMs}`;
  throw new CoterieError({ code: "bad-request", message });
}

function checkQuorum(all: number | undefined, primaries: number | undefined): void {
  if (all !== undefined) checkInteger("a quorum", all, 0, quorumMax);
  if (primaries !== undefined) checkInteger("a quorum of primaries", primaries, 0, quorumMax);
}

/** A checked integer: the wire has no others. */
export function checkInteger(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const message = `${name} is an integer from ${least} to ${most}, not ${value}`;
  throw new CoterieError({ code: "bad-request", message });
}
