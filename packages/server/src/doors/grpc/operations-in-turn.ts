import { type KvOperation, type KvOperationReply, kvReplySizeHint } from "@coterie/protocol";
import { tooLargeReply } from "./failures.ts";
import { replyBytesMax } from "./grpc-options.ts";

/** How many of a batch are under way at once. */
const inFlightMax = 64;
/** Of a reply in a batch: its lengths and tags. */
const replyBytesExtra = 12;

interface BatchWork {
  perform(operation: KvOperation, settle: (reply: KvOperationReply) => void): void;
  /** Called once, with the replies in the order of the operations, and about their size. */
  onDone(replies: readonly KvOperationReply[], bytes: number): void;
}

/** The operations of a batch, each on its own: some at once, and the next when one is answered. */
export class OperationsInTurn {
  readonly #operations: readonly KvOperation[];
  readonly #work: BatchWork;
  readonly #replies: KvOperationReply[] = [];
  #bytes = 0;
  #begun = 0;
  #answered = 0;

  constructor(operations: readonly KvOperation[], work: BatchWork) {
    this.#operations = operations;
    this.#work = work;
  }

  start(): void {
    if (this.#operations.length === 0) this.#work.onDone([], 0);
    else this.#beginMore();
  }

  #beginMore(): void {
    while (this.#begun < this.#operations.length && this.#begun - this.#answered < inFlightMax) {
      const at = this.#begun;
      this.#begun += 1;
      this.#work.perform(this.#operations[at] as KvOperation, (reply) => this.#take(at, reply));
    }
  }

  #take(at: number, reply: KvOperationReply): void {
    const size = kvReplySizeHint(reply) + replyBytesExtra;
    const fits = this.#bytes + size <= replyBytesMax;
    const kept = fits ? reply : shortened(reply);
    this.#replies[at] = kept;
    this.#bytes += fits ? size : kvReplySizeHint(kept) + replyBytesExtra;
    this.#answered += 1;
    if (this.#answered === this.#operations.length) {
      this.#work.onDone(this.#replies, this.#bytes);
    } else if (this.#begun - this.#answered < inFlightMax) this.#beginMore();
  }
}

/** A read that found no room among the others can be asked again; a write was carried out. */
function shortened(reply: KvOperationReply): KvOperationReply {
  if (reply.kind === "write") return { ...reply, body: [] };
  return reply.kind === "get" ? tooLargeReply : reply;
}
