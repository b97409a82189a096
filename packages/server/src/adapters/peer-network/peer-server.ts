import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { Clock, Receive } from "@coterie/ports";
import { http2Transport } from "./http2/http2-transport.ts";
import { type PeerOptions, defaultPeerOptions } from "./peer-options.ts";
import { type PeerServerStatistics, newPeerServerStatistics } from "./peer-server-statistics.ts";
import { ServedStream } from "./served-stream.ts";
import type {
  ListenOutcome,
  PeerListener,
  PeerTransport,
  ServedCall,
  ServedCallEvents,
} from "./transport.ts";

export interface PeerServerInput {
  readonly clock: Clock;
  readonly receive: Receive<PeerRequest, PeerResponse>;
  readonly options?: PeerOptions;
  readonly transport?: PeerTransport;
}

/** The peer door: answers the requests of other nodes. */
export class PeerServer {
  readonly #input: PeerServerInput;
  readonly #options: PeerOptions;
  readonly #listener: PeerListener;
  readonly #streams = new Set<ServedStream>();
  readonly #statistics: PeerServerStatistics = newPeerServerStatistics();

  constructor(input: PeerServerInput) {
    const { clock, options = defaultPeerOptions, transport = http2Transport } = input;
    this.#input = input;
    this.#options = options;
    this.#listener = transport.serve({ clock, options, onCall: (call) => this.#serve(call) });
  }

  /** Listens; port 0 lets the system choose. */
  listen(host: string, port: number): Promise<ListenOutcome> {
    return this.#listener.listen(host, port);
  }

  get statistics(): Readonly<PeerServerStatistics> {
    return { ...this.#statistics, streams: this.#streams.size };
  }

  /** Cuts every stream and stops listening: what was asked and is not answered never will be. */
  close(): Promise<void> {
    return this.#listener.close();
  }

  #serve(call: ServedCall): ServedCallEvents {
    const stream = new ServedStream({
      call,
      clock: this.#input.clock,
      options: this.#options,
      receive: this.#input.receive,
      statistics: this.#statistics,
      onOver: (over) => this.#streams.delete(over),
    });
    this.#streams.add(stream);
    return stream;
  }
}
