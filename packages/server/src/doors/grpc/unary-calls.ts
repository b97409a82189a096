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
import type { ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { ByteBudget } from "../byte-budget.ts";
import type { RequestProblem } from "../request-checks.ts";
import { whenClosed } from "./call-stream.ts";
import { refusal, statusOf, tooLargeReply } from "./failures.ts";
import { replyBytesMax } from "./grpc-options.ts";
import type { KvService } from "./kv-service.ts";
import { OperationsInTurn } from "./operations-in-turn.ts";
import { type RawMethod, rawMethod } from "./raw-methods.ts";

type Call = ServerUnaryCall<Uint8Array, Uint8Array>;
type Callback = sendUnaryData<Uint8Array>;

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

  static readonly methods: Readonly<Record<string, RawMethod>> = {
    Get: rawMethod(clientMethods.get, "unary"),
    Put: rawMethod(clientMethods.put, "unary"),
    Delete: rawMethod(clientMethods.delete, "unary"),
    Batch: rawMethod(clientMethods.batch, "unary"),
  };

  get handlers(): Readonly<Record<string, (call: Call, callback: Callback) => void>> {
    return {
      Get: (call, callback) => this.#serve("get", call, callback),
      Put: (call, callback) => this.#serve("put", call, callback),
      Delete: (call, callback) => this.#serve("delete", call, callback),
      Batch: (call, callback) => this.#serveBatch(call, callback),
    };
  }

  #serve(kind: KvOperation["kind"], call: Call, callback: Callback): void {
    const sinceMs = this.#clock.monotonicMs();
    const finish = (reply: KvOperationReply): void => {
      this.#service.observe(kind, reply, this.#clock.monotonicMs() - sinceMs);
      this.#respond(call, callback, reply);
    };
    const decoded = decodeKvRequest(kind, call.request);
    if (!decoded.ok) finish(refusal(decoded.problem));
    else this.#service.perform(decoded.value, timeoutOf(call, decoded.value), finish);
  }

  #respond(call: Call, callback: Callback, reply: KvOperationReply): void {
    if (reply.kind === "failure") callback(statusOf(reply));
    else if (kvReplySizeHint(reply) > replyBytesMax) callback(statusOf(tooLargeReply));
    else this.#send(call, callback, () => encodeKvReply(reply), kvReplySizeHint(reply));
  }

  #send(call: Call, callback: Callback, encode: () => Uint8Array, bytes: number): void {
    if (call.cancelled) return;
    if (!this.#unread.take(bytes)) {
      callback(statusOf(refusal(unreadReplies)));
      return;
    }
    whenClosed(call, () => this.#unread.give(bytes));
    callback(null, encode());
  }

  #serveBatch(call: Call, callback: Callback): void {
    const decoded = decodeBatchRequest(call.request);
    if (!decoded.ok) {
      const failure = refusal(decoded.problem);
      this.#service.observe("batch", failure, 0);
      callback(statusOf(failure));
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
      onDone: (replies, bytes) =>
        this.#send(call, callback, () => encodeBatchReply(replies), bytes),
    });
    batch.start();
  }
}

/** What the call and the request allow, whichever is less; the longest if it is for ever. */
function timeoutOf(call: Call, { timeoutMs }: KvOperation): number | undefined {
  const deadline = call.getDeadline();
  if (deadline === Number.POSITIVE_INFINITY) return timeoutMs;
  const leftMs = Math.floor(Number(deadline) - Date.now());
  return Math.max(1, Math.min(leftMs, timeoutMs ?? timeoutMsMax, timeoutMsMax));
}

/** The longest a request may wait. */
const timeoutMsMax = 60_000;
