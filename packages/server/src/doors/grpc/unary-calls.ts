import type { Clock } from "@coterie/ports";
import {
  type KvOperation,
  type KvOperationReply,
  clientMethods,
  decodeBatchRequest,
  decodeKvRequest,
  encodeBatchReply,
  encodeKvReply,
  kvReplySizeHint,
} from "@coterie/protocol";
import type { ByteBudget } from "../byte-budget.ts";
import type { RequestProblem } from "../request-checks.ts";
import { refusal, statusOf, tooLargeReply } from "./failures.ts";
import type { GrpcCall } from "./grpc-call.ts";
import { type GrpcMethod, oneRequest } from "./grpc-method.ts";
import { replyBytesMax } from "./grpc-options.ts";
import type { KvService } from "./kv-service.ts";
import { OperationsInTurn } from "./operations-in-turn.ts";

const unreadReplies: RequestProblem = {
  code: "overloaded",
  message: "clients leave too many replies unread",
};

/** The unary methods of Kv: a call per request, or per batch of them. */
export class UnaryCalls {
  readonly #service: KvService;
  readonly #clock: Clock;
  readonly #unread: ByteBudget;

  constructor(service: KvService, clock: Clock, unread: ByteBudget) {
    this.#service = service;
    this.#clock = clock;
    this.#unread = unread;
  }

  /** By their paths. */
  get methods(): readonly (readonly [string, GrpcMethod])[] {
    return [
      [clientMethods.get, oneRequest((call, request) => this.#serve("get", call, request))],
      [clientMethods.put, oneRequest((call, request) => this.#serve("put", call, request))],
      [clientMethods.delete, oneRequest((call, request) => this.#serve("delete", call, request))],
      [clientMethods.batch, oneRequest((call, request) => this.#serveBatch(call, request))],
    ];
  }

  #serve(kind: KvOperation["kind"], call: GrpcCall, request: Uint8Array): void {
    const sinceMs = this.#clock.monotonicMs();
    const finish = (reply: KvOperationReply): void => {
      this.#service.observe(kind, reply, this.#clock.monotonicMs() - sinceMs);
      this.#respond(call, reply);
    };
    const decoded = decodeKvRequest(kind, request);
    if (!decoded.ok) finish(refusal(decoded.problem));
    else this.#service.perform(decoded.value, timeoutOf(call, decoded.value), finish);
  }

  #respond(call: GrpcCall, reply: KvOperationReply): void {
    if (reply.kind === "failure") call.fail(statusOf(reply));
    else if (kvReplySizeHint(reply) > replyBytesMax) call.fail(statusOf(tooLargeReply));
    else this.#send(call, () => encodeKvReply(reply), kvReplySizeHint(reply));
  }

  #send(call: GrpcCall, encode: () => Uint8Array, bytes: number): void {
    if (call.isOver) return;
    if (!this.#unread.take(bytes)) {
      call.fail(statusOf(refusal(unreadReplies)));
      return;
    }
    call.whenOver(() => this.#unread.give(bytes));
    call.end(encode());
  }

  #serveBatch(call: GrpcCall, request: Uint8Array): void {
    const decoded = decodeBatchRequest(request);
    if (!decoded.ok) {
      const failure = refusal(decoded.problem);
      this.#service.observe("batch", failure, 0);
      call.fail(statusOf(failure));
      return;
    }
    const sinceMs = this.#clock.monotonicMs();
    const batch = new OperationsInTurn(decoded.value, {
      perform: (operation, settle) => {
        this.#service.perform(operation, timeoutOf(call, operation), (reply) => {
          this.#service.observe(operation.kind, reply, this.#clock.monotonicMs() - sinceMs);
          settle(reply);
        });
      },
      onDone: (replies, bytes) => this.#send(call, () => encodeBatchReply(replies), bytes),
    });
    batch.start();
  }
}

/** What the call and the request allow, whichever is less; the longest if it is for ever. */
function timeoutOf(call: GrpcCall, { timeoutMs }: KvOperation): number | undefined {
  const { leftMs } = call;
  if (leftMs === undefined) return timeoutMs;
  return Math.max(1, Math.floor(Math.min(leftMs, timeoutMs ?? timeoutMsMax, timeoutMsMax)));
}

/** The longest a request may wait. */
const timeoutMsMax = 60_000;
