import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { splitAddress } from "./driver.ts";

/** Finds the first complete answer in what was received; undefined while there is more to come. */
export type FindAnswer<Found extends { readonly length: number }> = (
  bytes: Buffer,
) => Found | undefined;

/** What is called with an answer and all bytes from its beginning; undefined: connection lost. */
export type OnAnswer<Found> = (found: Found | undefined, bytes: Buffer) => void;

interface Waiting<Found> {
  readonly request: readonly Buffer[];
  readonly settle: OnAnswer<Found>;
}

/**
 * Raw sockets that carry one request each at a time, on loopback cheaper than any client library;
 * requests beyond them wait for a free one.
 */
export class Lanes<Found extends { readonly length: number }> {
  readonly #find: FindAnswer<Found>;
  readonly #sockets: Socket[] = [];
  readonly #free: Lane<Found>[] = [];
  readonly #waiting: Waiting<Found>[] = [];
  #living = 0;

  private constructor(find: FindAnswer<Found>) {
    this.#find = find;
  }

  /** Connects `count` sockets, spread over the addresses evenly. */
  static async open<Found extends { readonly length: number }>(
    addresses: readonly string[],
    count: number,
    find: FindAnswer<Found>,
  ): Promise<Lanes<Found>> {
    const lanes = new Lanes(find);
    const opening = Array.from({ length: count }, (_, at) =>
      lanes.#connect(addresses[at % addresses.length] as string),
    );
    await Promise.all(opening);
    return lanes;
  }

  send(request: readonly Buffer[], settle: OnAnswer<Found>): void {
    // By turns: servers close connections that are never used.
    const lane = this.#free.shift();
    if (lane !== undefined) lane.send(request, settle);
    else if (this.#living > 0) this.#waiting.push({ request, settle });
    else setImmediate(() => settle(undefined, Buffer.alloc(0)));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #connect(address: string): Promise<void> {
    const socket = connect({ ...splitAddress(address), noDelay: true });
    this.#sockets.push(socket);
    await once(socket, "connect");
    this.#living += 1;
    const lane = new Lane(socket, this.#find, () => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(lane);
      else lane.send(next.request, next.settle);
    });
    this.#free.push(lane);
    // Its reason is of no interest: what was on its way is counted as lost by "close".
    socket.on("error", () => {});
    socket.once("close", () => this.#lose(lane));
  }

  #lose(lane: Lane<Found>): void {
    this.#living -= 1;
    const at = this.#free.indexOf(lane);
    if (at >= 0) this.#free.splice(at, 1);
    lane.lose();
    if (this.#living > 0) return;
    for (const { settle } of this.#waiting.splice(0)) settle(undefined, Buffer.alloc(0));
  }
}

class Lane<Found extends { readonly length: number }> {
  readonly #socket: Socket;
  readonly #onFree: () => void;
  #received: Buffer[] = [];
  #bytes = 0;
  #settle: OnAnswer<Found> | undefined;

  constructor(socket: Socket, find: FindAnswer<Found>, onFree: () => void) {
    this.#socket = socket;
    this.#onFree = onFree;
    socket.on("data", (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#bytes += chunk.length;
      const all = this.#received.length === 1 ? chunk : Buffer.concat(this.#received, this.#bytes);
      this.#received = [all];
      const found = find(all);
      if (found === undefined) return;
      this.#received = [];
      this.#bytes = 0;
      const settle = this.#settle;
      this.#settle = undefined;
      // Nobody asked: the server says why it closes the connection.
      if (settle === undefined) {
        socket.destroy();
        return;
      }
      this.#onFree();
      settle(found, all);
    });
  }

  send(request: readonly Buffer[], settle: OnAnswer<Found>): void {
    this.#settle = settle;
    this.#socket.cork();
    for (const part of request) this.#socket.write(part);
    this.#socket.uncork();
  }

  lose(): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(undefined, Buffer.alloc(0));
  }
}
