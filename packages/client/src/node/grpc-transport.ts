import {
  type ClusterDescription,
  type KvRequest,
  PipeRequestBatch,
  clientMethods,
  decodeClusterDescription,
  decodePipeReplies,
} from "@coterie/protocol";
import { Client, type ClientDuplexStream } from "@grpc/grpc-js";
import type { Cancel, Clock } from "../engine/clock.ts";
import type { PipeStream, StreamEvents, Transport } from "../engine/transport.ts";
import { HeldConnection } from "./held-connection.ts";

const mebibyte = 1024 * 1024;

/** How long a stream may take to open, and its node to say that it reads it. */
const connectMs = 1000;
/** How long a node may take to describe its cluster. */
const describeMs = 2000;

/** Our own are the only reconnects, retries and keepalives: grpc-js's would hide what happens. */
const channelOptions = {
  // Siblings may make a read's answer as large as a record, 32 MiB; a request has one value.
  "grpc.max_receive_message_length": 33 * mebibyte,
  "grpc.max_send_message_length": 33 * mebibyte,
  "grpc.enable_retries": 0,
  "grpc.enable_channelz": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
  // HTTP/2 receive window: bytes in flight, whatever the round trip takes.
  "grpc-node.flow_control_window": 8 * mebibyte,
};

/** Nodes over gRPC (`Kv.Pipe` and `Cluster.Describe`). */
export class GrpcTransport implements Transport {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(address: string, events: StreamEvents): PipeStream {
    return new GrpcPipe(this.#clock, address, events);
  }
}

/** One connection with one Pipe on it, from the attempt to open it to its end. */
class GrpcPipe implements PipeStream {
  readonly #clock: Clock;
  readonly #events: StreamEvents;
  readonly #connection = new HeldConnection();
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Uint8Array, Uint8Array>;
  readonly #cancelConnect: Cancel;
  readonly #batch = new PipeRequestBatch();
  #bytesUnsent = 0;
  #isOpen = false;
  #isOver = false;

  constructor(clock: Clock, address: string, events: StreamEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#client = new Client(`dns:${address}`, this.#connection.credentials, channelOptions);
    this.#call = this.#client.makeBidiStreamRequest(clientMethods.pipe, asBuffer, asBytes);
    this.#call.on("data", (message: Uint8Array) => this.#receive(message));
    this.#call.on("error", (error: Error) => this.#break(error.message));
    this.#call.on("end", () => this.#break("the node ended the stream"));
    this.#cancelConnect = clock.at(clock.monotonicMs() + connectMs, () => {
      this.#break(`${address} did not answer within ${connectMs} ms`);
    });
    this.flush();
  }

  get bytesUnsent(): number {
    return this.#bytesUnsent;
  }

  add(id: number, request: KvRequest): number {
    return this.#batch.add(id, request);
  }

  flush(): void {
    if (this.#isOver) return;
    const message = this.#batch.take();
    const { length } = message;
    this.#bytesUnsent += length;
    this.#call.write(message, () => {
      this.#bytesUnsent -= length;
    });
  }

  describe(settle: (description: ClusterDescription | undefined) => void): void {
    const call = this.#client.makeUnaryRequest(
      clientMethods.describe,
      asBuffer,
      (message) => decodeClusterDescription(message),
      new Uint8Array(0),
      (_error, description) => {
        cancelTimeout();
        settle(description);
      },
    );
    // Our own clock: a deadline of grpc-js would keep the process alive.
    const cancelTimeout = this.#clock.at(this.#clock.monotonicMs() + describeMs, () =>
      call.cancel(),
    );
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelConnect();
    this.#call.end();
    this.#call.once("status", () => this.#release());
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelConnect();
    this.#call.cancel();
    this.#release();
  }

  #receive(message: Uint8Array): void {
    if (this.#isOver) return;
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#cancelConnect();
      this.#connection.letGo();
      this.#events.onOpen();
    }
    const decoded = decodePipeReplies(message);
    if (decoded.ok) this.#events.onReplies(decoded.replies);
    else this.#break("the node's answer is malformed");
  }

  #break(reason: string): void {
    if (this.#isOver) return;
    this.destroy();
    this.#events.onBroken(reason);
  }

  #release(): void {
    // One turn later: whoever still reads learns that the stream was cancelled.
    this.#clock.afterTurn(() => {
      this.#client.close();
      this.#connection.cut();
    });
  }
}

function asBuffer(message: Uint8Array): Buffer {
  return Buffer.from(message.buffer, message.byteOffset, message.length);
}

function asBytes(message: Buffer): Uint8Array {
  return message;
}
