import { type PeerAddress, invariant } from "@coterie/core";
import type { Cancel, Clock } from "@coterie/ports";
import { Client, type ClientDuplexStream } from "@grpc/grpc-js";
import { type PeerOptions, channelOptions, replicatePath } from "./peer-options.ts";
import { SeverableConnection } from "./severable-connection.ts";

export interface PeerStreamInput {
  readonly address: PeerAddress;
  readonly clock: Clock;
  readonly options: PeerOptions;
  /** What opens the stream: a message that the peer answers at once. */
  readonly hello: Uint8Array;
  /** The peer reads the stream: it answered the hello. */
  readonly onOpen: () => void;
  readonly onMessage: (message: Uint8Array) => void;
  /** The stream is gone, for whatever reason but {@link PeerStream.end}. Called at most once. */
  readonly onBroken: (reason: string) => void;
}

/**
 * One connection with one stream on it, from the attempt to open it to its end. It is never
 * reopened: whoever wants another makes a new one, so that grpc-js's own ways of reconnecting play
 * no part. A peer that accepts connections but reads nothing, such as a stopped process, does not
 * answer the hello; such a stream never opens, and nothing else was written to it.
 */
export class PeerStream {
  readonly #input: PeerStreamInput;
  readonly #connection = new SeverableConnection();
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Uint8Array, Uint8Array>;
  readonly #cancelConnect: Cancel;
  #isOpen = false;
  #isOver = false;

  constructor(input: PeerStreamInput) {
    const { address, clock, options, hello } = input;
    this.#input = input;
    this.#client = new Client(
      `dns:${address}`,
      this.#connection.credentials,
      channelOptions(options),
    );
    this.#call = this.#client.makeBidiStreamRequest(replicatePath, asBuffer, asBytes);
    this.#call.on("data", (message: Uint8Array) => this.#receive(message));
    this.#call.on("error", (error: Error) => this.#break(error.message));
    this.#call.on("end", () => this.#break("the peer ended the stream"));
    this.#call.write(hello);
    this.#cancelConnect = clock.at(clock.monotonicMs() + options.connectMs, () => {
      this.#break("the peer did not answer in time");
    });
  }

  /** Hands a message to the transport; `sent` is called when it left for the socket. */
  write(message: Uint8Array, sent: () => void): void {
    invariant(this.#isOpen, "operations are written to streams that have opened");
    this.#call.write(message, sent);
  }

  /** Ends the stream in order. Nothing is reported any more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelConnect();
    this.#call.end();
    this.#call.once("status", () => this.#release());
  }

  /** Cuts the stream. Nothing is reported any more. */
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
      this.#input.onOpen();
    }
    this.#input.onMessage(message);
  }

  #break(reason: string): void {
    if (this.#isOver) return;
    this.destroy();
    this.#input.onBroken(reason);
  }

  #release(): void {
    // One turn later: whoever still reads learns that the stream was cancelled.
    this.#input.clock.afterTurn(() => {
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
