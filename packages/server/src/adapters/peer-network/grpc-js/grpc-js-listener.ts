import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  logVerbosity,
  setLogVerbosity,
  status,
} from "@grpc/grpc-js";
import { replicatePath } from "../peer-options.ts";
import type {
  ListenOutcome,
  PeerListener,
  PeerListenerInput,
  ServedCall,
  ServedCallEvents,
} from "../transport.ts";
import { channelOptions } from "./channel-options.ts";
import { InnerServers } from "./inner-servers.ts";
import { asBuffer, asBytes } from "./message-bytes.ts";

type Call = ServerDuplexStream<Uint8Array, Uint8Array>;

/** How long closing may take if a connection does not end. */
const closeMsMax = 1000;

/** Takes the streams of peers with grpc-js. */
const failureStatuses = {
  aborted: status.ABORTED,
  malformed: status.INVALID_ARGUMENT,
  unsupported: status.FAILED_PRECONDITION,
} as const;

export class GrpcJsListener implements PeerListener {
  readonly #input: PeerListenerInput;
  readonly #server: Server;
  #inner: InnerServers | undefined;

  constructor(input: PeerListenerInput) {
    this.#input = input;
    // What grpc-js would print is in the outcomes; standard error belongs to the node's own log.
    setLogVerbosity(logVerbosity.NONE);
    this.#server = new Server(channelOptions(input.options));
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
      { Replicate: (call: Call) => connectCall(call, input.onCall) },
    );
  }

  listen(host: string, port: number): Promise<ListenOutcome> {
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    return new Promise((resolve) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
        if (error !== null) {
          resolve({ ok: false, message: error.message });
          return;
        }
        this.#inner = new InnerServers(this.#server);
        this.#inner.raiseWindow(this.#input.options.receiveWindowBytes);
        this.#inner.limitConnections(this.#input.options.connectionsMax);
        resolve({ ok: true, port: bound, isWindowRaised: this.#inner.isFound });
      });
    });
  }

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
}

function connectCall(call: Call, onCall: (call: ServedCall) => ServedCallEvents): void {
  const events = onCall({
    write: (message, sent) => void call.write(message, sent),
    pause: () => void call.pause(),
    resume: () => void call.resume(),
    end: () => call.end(),
    fail: (code, details) => {
      call.emit("error", { code: failureStatuses[code], details });
    },
  });
  call.on("data", (message: Uint8Array) => events.message(message));
  call.on("end", () => events.ended());
  call.on("error", () => events.over());
  call.on("cancelled", () => events.over());
  call.on("close", () => events.over());
}
