import { invariant } from "@coterie/core";
import type { Cancel } from "@coterie/ports";
import { Client, type ClientDuplexStream } from "@grpc/grpc-js";
import { replicatePath } from "../peer-options.ts";
import type { PeerStream, PeerStreamInput } from "../transport.ts";
import { channelOptions } from "./channel-options.ts";
import { asBuffer, asBytes } from "./message-bytes.ts";
import { SeverableConnection } from "./severable-connection.ts";

/** A stream to a peer over grpc-js, whose own ways of reconnecting play no part. */
export class GrpcJsStream implements PeerStream {
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

  write(message: Uint8Array, sent: () => void): void {
    invariant(this.#isOpen, "operations are written to streams that have opened");
    this.#call.write(message, sent);
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
    const isFirst = !this.#isOpen;
    this.#isOpen = true;
    if (isFirst) this.#cancelConnect();
    this.#input.onMessage(message);
    if (isFirst && !this.#isOver) this.#input.onOpen();
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
