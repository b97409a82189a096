import type { ClusterDescription, DecodedPipeReply, KvReply, KvRequest } from "@coterie/protocol";
import { kvRequestSizeHint } from "@coterie/protocol";
import type { Cancel, Clock } from "../engine/clock.ts";
import type { PipeStream, StreamEvents } from "../engine/transport.ts";
import type { StoreRequest } from "./fake-store.ts";

/** What a stream needs of the node at its other end. */
export interface FakePeer {
  /** How long the node takes for each request now. */
  readonly delayMs: number;
  /** Whether anybody listens. */
  readonly isUp: boolean;
  /** A stopped process: it reads and answers nothing, and its connections stay. */
  readonly isPaused: boolean;
  handle(request: StoreRequest): KvReply | "nothing";
  describe(): ClusterDescription;
}

/** How long an attempt to connect to a stopped process takes. */
const connectMs = 1000;

/** A Pipe in memory: messages arrive, and answers come, after the turn that sent them. */
export class FakeStream implements PipeStream {
  readonly bytesUnsent = 0;
  readonly #clock: Clock;
  readonly #events: StreamEvents;
  readonly #peer: FakePeer;
  #added: { readonly id: number; readonly request: KvRequest }[] = [];
  /** Requests that the node takes its time for. */
  readonly #delayed = new Map<number, Cancel>();
  #replies: DecodedPipeReply[] = [];
  #isReplying = false;
  #isOver = false;
  /** What arrived at a paused node, to be read when it goes on. */
  #unread: (() => void)[] = [];

  constructor(clock: Clock, events: StreamEvents, peer: FakePeer) {
    this.#clock = clock;
    this.#events = events;
    this.#peer = peer;
    if (!peer.isUp) {
      clock.afterTurn(() => this.break("connection refused"));
      return;
    }
    const cancel = clock.at(clock.monotonicMs() + connectMs, () => this.break("no answer"));
    this.#arrive(() => {
      cancel();
      this.#events.onOpen();
      this.#reply();
    });
  }

  add(id: number, request: KvRequest): number {
    // As encoding does: what the caller changes afterwards is not sent.
    const own = request.kind === "put" ? { ...request, value: request.value.slice() } : request;
    this.#added.push({ id, request: own.kind === "cancel" ? own : { ...own } });
    return kvRequestSizeHint(request);
  }

  flush(): void {
    const message = this.#added;
    this.#added = [];
    this.#arrive(() => {
      for (const { id, request } of message) this.#take(id, request);
      if (message.length === 0) this.#reply();
    });
  }

  describe(settle: (description: ClusterDescription | undefined) => void): void {
    this.#arrive(() => settle(this.#peer.describe()));
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    this.#isOver = true;
    for (const cancel of this.#delayed.values()) cancel();
    this.#delayed.clear();
  }

  /** The connection breaks: what was sent and not answered is lost. */
  break(reason: string): void {
    if (this.#isOver) return;
    this.destroy();
    this.#events.onBroken(reason);
  }

  /** The node goes on after a pause. */
  resume(): void {
    for (const act of this.#unread.splice(0)) this.#arrive(act);
  }

  #arrive(act: () => void): void {
    this.#clock.afterTurn(() => {
      if (this.#isOver) return;
      if (this.#peer.isPaused) this.#unread.push(act);
      else act();
    });
  }

  #take(id: number, request: KvRequest): void {
    if (request.kind === "cancel") {
      this.#delayed.get(id)?.();
      this.#delayed.delete(id);
      return;
    }
    const { delayMs } = this.#peer;
    if (delayMs === 0) {
      this.#handle(id, request);
      return;
    }
    const cancel = this.#clock.at(this.#clock.monotonicMs() + delayMs, () => {
      this.#delayed.delete(id);
      this.#arrive(() => this.#handle(id, request));
    });
    this.#delayed.set(id, cancel);
  }

  #handle(id: number, request: StoreRequest): void {
    const reply = this.#peer.handle(request);
    if (reply === "nothing" || this.#isOver) return;
    this.#replies.push({ id, reply });
    this.#reply();
  }

  #reply(): void {
    if (this.#isReplying) return;
    this.#isReplying = true;
    this.#clock.afterTurn(() => {
      this.#isReplying = false;
      const replies = this.#replies;
      this.#replies = [];
      if (!this.#isOver) this.#events.onReplies(replies);
    });
  }
}
