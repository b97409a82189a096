import {
  type Ending,
  type GetOutcome,
  type NodeApi,
  type ScanOutcome,
  type WriteOutcome,
  endAs,
} from "@coterie/cluster";
import type { Sibling } from "@coterie/core";
import type {
  KvFailure,
  KvOperation,
  KvOperationReply,
  KvScan,
  KvScanReply,
  KvSibling,
} from "@coterie/protocol";
import { dotText } from "../dot-text.ts";
import {
  type RequestProblem,
  problemWithBucket,
  problemWithContentType,
  problemWithKey,
  problemWithLifetime,
  problemWithValue,
} from "../request-checks.ts";
import { defect, failureOf, refusal, shuttingDown, starting } from "./failures.ts";

/** Told of every request that has ended. */
export interface ObservedCall {
  readonly operation: string;
  /** An error code, or `ok`. */
  readonly code: string;
  readonly ms: number;
}

/** What stands behind the door. */
export interface KvBackend {
  readonly node: NodeApi;
  /** Told of every request that has ended. */
  readonly observe: (call: ObservedCall) => void;
  /** Told of an error that nothing expects: a defect. */
  readonly onDefect: (error: Error) => void;
}

const pageDefault = 1000;

/** Carries out what clients ask, however it came: alone, in a batch or through a Pipe. */
export class KvService {
  readonly #valueBytesMax: number;
  #backend: KvBackend | undefined;
  #isClosing = false;
  #inFlight = 0;
  #onIdle: (() => void) | undefined;

  constructor(valueBytesMax: number) {
    this.#valueBytesMax = valueBytesMax;
  }

  /** Answers by `backend` from now on. */
  serve(backend: KvBackend): void {
    this.#backend = backend;
  }

  get node(): NodeApi | undefined {
    return this.#isClosing ? undefined : this.#backend?.node;
  }

  /** Refuses what is new from now on; resolves when what is in flight is answered. */
  close(): Promise<void> {
    this.#isClosing = true;
    return new Promise((resolve) => {
      if (this.#inFlight === 0) resolve();
      else this.#onIdle = resolve;
    });
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /**
   * Carries out one operation within `timeoutMs`, or by the bucket's default. `settle` is called
   * once, perhaps within this call.
   */
  perform(
    operation: KvOperation,
    timeoutMs: number | undefined,
    settle: (reply: KvOperationReply) => void,
  ): void {
    const node = this.node;
    const problem = this.#problemWith(operation);
    if (node === undefined) settle(this.#absence());
    else if (problem !== undefined) settle(refusal(problem));
    else {
      const options = timeoutMs === operation.timeoutMs ? operation : { ...operation, timeoutMs };
      this.#inFlight += 1;
      if (operation.kind === "get") {
        node.beginGet(operation, options, new Reply(this, getReply, settle));
      } else if (operation.kind === "put") {
        const ending = new Reply(this, writeReply, settle);
        endAs(node.put(operation, operation, options), ending);
      } else {
        const ending = new Reply(this, writeReply, settle);
        // A delete repeated with its context deletes nothing more, so its id is only checked.
        endAs(node.delete(operation, operation.context, options), ending);
      }
    }
  }

  /** One page of a scan; `settle` is called once, perhaps within this call. */
  scan(scan: KvScan, settle: (reply: KvScanReply | KvFailure) => void): void {
    const node = this.node;
    const problem = problemWithBucket(scan.bucket);
    if (node === undefined) settle(this.#absence());
    else if (problem !== undefined) settle(refusal(problem));
    else {
      const { bucket, cursor, tombstones } = scan;
      const prefix = scan.prefix.length === 0 ? undefined : scan.prefix;
      const limit = scan.limit === 0 ? pageDefault : scan.limit;
      this.#inFlight += 1;
      const ending = new Reply(this, scanReply, settle);
      endAs(node.scan(bucket, { limit, cursor, prefix, tombstones }), ending);
    }
  }

  /** Counts a request that has ended: milliseconds after it came. */
  observe(operation: string, reply: { readonly kind: string }, ms: number): void {
    const code = reply.kind === "failure" ? (reply as KvFailure).code : "ok";
    this.#backend?.observe({ operation, code, ms });
  }

  /** A request has been answered. */
  ended(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  #absence(): KvFailure {
    return this.#isClosing ? shuttingDown : starting;
  }

  /** What a client is told of a defect, which the log hears of. */
  defect(error: unknown): KvFailure {
    this.#backend?.onDefect(error instanceof Error ? error : new Error(String(error)));
    return defect;
  }

  #problemWith(operation: KvOperation): RequestProblem | undefined {
    const problem = problemWithKey(operation.bucket, operation.key);
    if (problem !== undefined || operation.kind !== "put") return problem;
    return (
      problemWithValue(operation.value.length, this.#valueBytesMax) ??
      problemWithContentType(operation.contentType) ??
      problemWithLifetime(operation)
    );
  }
}

/** A request that is under way, and who waits for its reply. */
class Reply<Outcome, Made> implements Ending<Outcome> {
  readonly #service: KvService;
  readonly #replyTo: (outcome: Outcome) => Made | KvFailure;
  readonly #settle: (reply: Made | KvFailure) => void;

  constructor(
    service: KvService,
    replyTo: (outcome: Outcome) => Made | KvFailure,
    settle: (reply: Made | KvFailure) => void,
  ) {
    this.#service = service;
    this.#replyTo = replyTo;
    this.#settle = settle;
  }

  settle(outcome: Outcome): void {
    this.#settle(this.#replyTo(outcome));
    this.#service.ended();
  }

  fail(error: unknown): void {
    this.#settle(this.#service.defect(error));
    this.#service.ended();
  }
}

function getReply(outcome: GetOutcome): KvOperationReply {
  if (!outcome.ok) return failureOf(outcome);
  const { siblings, context, acks } = outcome;
  return { kind: "get", siblings: siblings.map(kvSibling), context, acks };
}

function writeReply(outcome: WriteOutcome): KvOperationReply {
  if (!outcome.ok) return failureOf(outcome);
  const { context, siblings, acks, body } = outcome;
  return { kind: "write", context, siblings, acks, body: body?.map(kvSibling) ?? noSiblings };
}

const noSiblings: readonly KvSibling[] = [];

function scanReply(outcome: ScanOutcome): KvScanReply | KvFailure {
  if (!outcome.ok) return failureOf(outcome);
  return { kind: "scan", items: outcome.items, cursor: outcome.cursor };
}

function kvSibling(sibling: Sibling): KvSibling {
  const { value, contentType, writtenAt, expiresAtMs = 0 } = sibling;
  const dot = dotText(sibling);
  return { value, contentType, dot, writtenAtMs: writtenAt.wallMs, expiresAtMs };
}
