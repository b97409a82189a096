import { type ClientDuplexStream, Client, credentials } from "@grpc/grpc-js";
import {
  type KvReply,
  type KvRequest,
  PipeRequestBatch,
  clientMethods,
  decodePipeReplies,
} from "@coterie/protocol";

/** Undefined: there is no answer, and never will be. */
export type OnReply = (reply: KvReply | undefined) => void;

const mebibyte = 1024 * 1024;
/** A message is sent when it has this many bytes, or when the turn ends. */
const messageBytesFull = 64 * 1024;
/** Below the most that a Pipe takes in one message. */
const messageRequestsFull = 256;

const identity = (bytes: Buffer): Buffer => bytes;

/** One Pipe to one node: what is asked in one turn travels in one message. */
export class PipeStream {
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #batch = new PipeRequestBatch();
  readonly #pending = new Map<number, OnReply>();
  #id = 0;
  #isScheduled = false;
  #isLost = false;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": 64 * mebibyte,
      "grpc-node.flow_control_window": 8 * mebibyte,
    });
    this.#stream = this.#client.makeBidiStreamRequest(clientMethods.pipe, identity, identity);
    this.#stream.on("data", (bytes: Buffer) => this.#receive(bytes));
    this.#stream.on("error", () => this.#lose());
    this.#stream.on("end", () => this.#lose());
    // A Pipe begins with a message without requests.
    this.#stream.write(Buffer.from(this.#batch.take()));
  }

  send(request: KvRequest, onReply: OnReply): void {
    if (this.#isLost) {
      setImmediate(() => onReply(undefined));
      return;
    }
    this.#id = (this.#id % 0xffff_ffff) + 1;
    this.#pending.set(this.#id, onReply);
    this.#batch.add(this.#id, request);
    const { bytes, requests } = this.#batch;
    if (bytes >= messageBytesFull || requests >= messageRequestsFull) this.#flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        this.#flush();
      });
    }
  }

  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }

  #flush(): void {
    if (this.#batch.requests === 0 || this.#isLost) return;
    const { buffer, byteOffset, length } = this.#batch.take();
    this.#stream.write(Buffer.from(buffer, byteOffset, length));
  }

  #receive(bytes: Buffer): void {
    const decoded = decodePipeReplies(bytes);
    if (!decoded.ok) return this.#lose();
    for (const { id, reply } of decoded.replies) {
      const onReply = this.#pending.get(id);
      this.#pending.delete(id);
      onReply?.(reply);
    }
  }

  #lose(): void {
    this.#isLost = true;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const onReply of pending) onReply(undefined);
  }
}
