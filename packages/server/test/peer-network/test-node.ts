import type { PeerAddress } from "@coterie/core";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { Receive, Reply } from "@coterie/ports";
import { NodeRandom } from "../../src/adapters/node-random.ts";
import { grpcJsTransport } from "../../src/adapters/peer-network/grpc-js/grpc-js-transport.ts";
import { http2Transport } from "../../src/adapters/peer-network/http2/http2-transport.ts";
import { PeerNetwork } from "../../src/adapters/peer-network/peer-network.ts";
import {
  type PeerOptions,
  defaultPeerOptions,
} from "../../src/adapters/peer-network/peer-options.ts";
import { PeerServer } from "../../src/adapters/peer-network/peer-server.ts";
import type { PeerTransport } from "../../src/adapters/peer-network/transport.ts";
import { SystemClock } from "../../src/adapters/system-clock.ts";

export const clock: SystemClock = new SystemClock();

/** What can carry the streams between nodes: every one must keep every promise. */
export const transports: readonly {
  readonly name: string;
  readonly transport: PeerTransport;
}[] = [
  { name: "node:http2", transport: http2Transport },
  { name: "grpc-js", transport: grpcJsTransport },
];

/** Far beyond the length of any test: what ends before it did not end by its deadline. */
const farMs = 60_000;

/** Everything that waits, waits shortly. */
export const hasty: PeerOptions = {
  ...defaultPeerOptions,
  keepaliveMs: 250,
  keepaliveTimeoutMs: 250,
  connectMs: 500,
  backoffMsMin: 10,
  backoffMsMax: 40,
};

/** What a test opened is closed after it, whatever became of it. */
export class Opened {
  readonly #transport: PeerTransport;
  readonly #closing: (() => unknown)[] = [];

  constructor(transport: PeerTransport) {
    this.#transport = transport;
  }

  add(close: () => unknown): void {
    this.#closing.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).toReversed()) await close();
  }

  network(options: PeerOptions = defaultPeerOptions): PeerNetwork {
    const transport = this.#transport;
    const network = new PeerNetwork({ clock, random: new NodeRandom(), options, transport });
    this.add(() => network.close());
    return network;
  }

  /** A server on a port that the system chooses, or on one that it chose before. */
  async server(
    receive: Receive<PeerRequest, PeerResponse>,
    options: PeerOptions = defaultPeerOptions,
    port: number = 0,
  ): Promise<{
    readonly server: PeerServer;
    readonly address: PeerAddress;
    readonly port: number;
  }> {
    const server = new PeerServer({ clock, receive, options, transport: this.#transport });
    const listening = await server.listen("127.0.0.1", port);
    if (!listening.ok) throw new Error(listening.message);
    this.add(() => server.close());
    const address = addressOf(listening.port);
    return { server, address, port: listening.port };
  }
}

export function addressOf(port: number): PeerAddress {
  return `127.0.0.1:${port}` as PeerAddress;
}

/** A merge of a record of so many bytes; the first four say `id`. */
export function mergeOf(id: number, bytes: number = 4): PeerRequest & { readonly kind: "merge" } {
  const record = new Uint8Array(bytes);
  new DataView(record.buffer).setUint32(0, id);
  return { kind: "merge", fence: 0, stamp: { epoch: 1, tag: 2 }, record };
}

export function idOf(request: PeerRequest): number {
  if (request.kind !== "merge") return -1;
  const { buffer, byteOffset, length } = request.record;
  return new DataView(buffer, byteOffset, length).getUint32(0);
}

export const answerMerged: Receive<PeerRequest, PeerResponse> = (_request, _deadline, settle) =>
  settle({ kind: "merged", changed: true });

export interface Asked {
  readonly network: PeerNetwork;
  readonly to: PeerAddress;
  readonly request: PeerRequest;
  readonly timeoutMs?: number;
}

export function ask({
  network,
  to,
  request,
  timeoutMs = farMs,
}: Asked): Promise<Reply<PeerResponse>> {
  return new Promise((resolve) => {
    network.call(to, request, clock.monotonicMs() + timeoutMs, resolve);
  });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => clock.at(clock.monotonicMs() + ms, resolve));
}

/** Waits until `condition` holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}
