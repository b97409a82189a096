import type { PeerAddress } from "@coterie/core";
import { type CutLink, SeverableStream } from "./severable-stream.ts";
import type {
  PeerListener,
  PeerListenerInput,
  PeerStreamInput,
  PeerTransport,
} from "./transport.ts";

/**
 * A transport with links that can be cut and healed by hand. A cut is as of a network: nobody is
 * told, messages stop arriving, connections do not open. This end of a stream plays both ends of a
 * cut, so that the nodes of both sides must be told of it.
 */
export class SeverableTransport implements PeerTransport {
  readonly #inner: PeerTransport;
  readonly #streams = new Set<SeverableStream>();
  #cuts: ReadonlyMap<PeerAddress, CutLink> = new Map();

  constructor(inner: PeerTransport) {
    this.#inner = inner;
  }

  /** From now on these links are cut and no others. */
  cut(links: readonly CutLink[]): void {
    this.#cuts = new Map(links.map((link) => [link.address, link]));
    for (const stream of this.#streams) stream.obey(this.#cuts.get(stream.address));
  }

  connect(input: PeerStreamInput): SeverableStream {
    const cut = this.#cuts.get(input.address);
    const stream: SeverableStream = new SeverableStream(this.#inner, input, cut, () => {
      this.#streams.delete(stream);
    });
    this.#streams.add(stream);
    return stream;
  }

  serve(input: PeerListenerInput): PeerListener {
    return this.#inner.serve(input);
  }
}
