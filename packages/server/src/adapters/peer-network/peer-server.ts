import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { Clock, Receive } from "@coterie/ports";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  logVerbosity,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { InnerServers } from "./inner-servers.ts";
import {
  type PeerOptions,
  channelOptions,
  defaultPeerOptions,
  replicatePath,
} from "./peer-options.ts";
import { type PeerServerStatistics, newPeerServerStatistics } from "./peer-server-statistics.ts";
import { ServedStream } from "./served-stream.ts";

export interface PeerServerInput {
  readonly clock: Clock;
  readonly receive: Receive<PeerRequest, PeerResponse>;
  readonly options?: PeerOptions;
}

/** What became of listening: the port, which the system chose if it was asked for 0. */
export type ListenOutcome =
  | { readonly ok: true; readonly port: number; readonly isWindowRaised: boolean }
  | { readonly ok: false; readonly message: string };

/** How long closing may take if a connection does not end. */
const closeMsMax = 1000;

/** The peer door: answers the requests of other nodes. */
export class PeerServer {
  readonly #input: PeerServerInput;
  readonly #options: PeerOptions;
  readonly #server: Server;
  readonly #streams = new Set<ServedStream>();
  readonly #statistics: PeerServerStatistics = newPeerServerStatistics();
  #inner: InnerServers | undefined;

  constructor(input: PeerServerInput) {
    this.#input = input;
    this.#options = input.options ?? defaultPeerOptions;
    // What grpc-js would print is in the outcomes; standard error belongs to the node's own log.
    setLogVerbosity(logVerbosity.NONE);
    this.#server = new Server(channelOptions(this.#options));
    this.#server.addService(
      {
        Replicate: {
          path: replicatePath,
          requestStream: true,
          responseStream: true,
          requestSerialize: asBuffer,
          requestDeserialize: asBytes,
          responseSerialize: asBuffer,
          responseDeserialize: asBytes,
        },
      },
      { Replicate: (call: ServerDuplexStream<Uint8Array, Uint8Array>) => this.#serve(call) },
    );
  }

  /** Listens; port 0 lets the system choose. */
  listen(host: string, port: number): Promise<ListenOutcome> {
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    return new Promise((resolve) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
        if (error !== null) {
          resolve({ ok: false, message: error.message });
          return;
        }
        this.#inner = new InnerServers(this.#server);
        this.#inner.raiseWindow(this.#options.receiveWindowBytes);
        resolve({ ok: true, port: bound, isWindowRaised: this.#inner.isFound });
      });
    });
  }

  get statistics(): Readonly<PeerServerStatistics> {
    return { ...this.#statistics, streams: this.#streams.size };
  }

  /** Cuts every stream and stops listening: what was asked and is not answered never will be. */
  close(): Promise<void> {
    // An orderly shutdown would wait for the peers to end their streams, which they do not.
    this.#inner?.destroyConnections();
    this.#server.forceShutdown();
    const { clock } = this.#input;
    return new Promise((resolve) => {
      const cancel = clock.at(clock.monotonicMs() + closeMsMax, resolve);
      this.#server.tryShutdown(() => {
        cancel();
        resolve();
      });
    });
  }

  #serve(call: ServerDuplexStream<Uint8Array, Uint8Array>): void {
    const stream = new ServedStream({
      call,
      clock: this.#input.clock,
      options: this.#options,
      receive: this.#input.receive,
      statistics: this.#statistics,
      onOver: (over) => this.#streams.delete(over),
    });
    this.#streams.add(stream);
  }
}

function asBuffer(message: Uint8Array): Buffer {
  return Buffer.from(message.buffer, message.byteOffset, message.length);
}

function asBytes(message: Buffer): Uint8Array {
  return message;
}
