import type { PipeStream, StreamEvents } from "@coterie/client/testing";
import {
  type ClusterDescription,
  type DecodedPipeReply,
  type KvRequest,
  kvRequestSizeHint,
} from "@coterie/protocol";
import type { World } from "@coterie/sim";
import type { NodeDoor } from "./node-door.ts";

/** How long an attempt to connect through a cut link takes. */
const connectMsMax = 1000;

export interface ClientStreamInput {
  readonly world: World;
  /** `undefined` where no node is. */
  readonly door: NodeDoor | undefined;
  readonly events: StreamEvents;
  readonly drawLatency: () => number;
  readonly isCut: () => boolean;
  readonly onOver: () => void;
}

/** One client's stream to one node: messages take their time, and arrive in order. */
export class ClientStream implements PipeStream {
  readonly bytesUnsent = 0;
  readonly #input: ClientStreamInput;
  #added: { readonly id: number; readonly request: KvRequest }[] = [];
  readonly #cancelled = new Set<number>();
  /** No message arrives before the one ahead of it: at which virtual time that was, each way. */
  #lastThereMs = 0;
  #lastBackMs = 0;
  #isDead = false;
  #isOver = false;

  constructor(input: ClientStreamInput) {
    this.#input = input;
    const { world, door, events } = input;
    if (input.isCut()) {
      world.schedule(connectMsMax, () => this.#fail("no answer"));
      return;
    }
    if (door?.isUp === true) this.#send(() => this.#return(() => events.onOpen()));
    else this.#return(() => this.#fail("connection refused"));
  }

  add(id: number, request: KvRequest): number {
    // As encoding does: what the caller changes afterwards is not sent.
    const own = request.kind === "put" ? { value: request.value.slice() } : {};
    this.#added.push({ id, request: { ...request, ...own } });
    return kvRequestSizeHint(request);
  }

  flush(): void {
    const message = this.#added;
    this.#added = [];
    this.#send(() => {
      for (const { id, request } of message) this.#take(id, request);
      if (message.length === 0) this.#reply([]);
    });
  }

  describe(settle: (description: ClusterDescription | undefined) => void): void {
    this.#send(() => {
      const description = this.#input.door?.describe();
      this.#return(() => settle(description));
    });
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    this.#isOver = true;
    this.#input.onOver();
  }

  /** The node's process is gone: what was sent and not answered is lost. */
  break(reason: string): void {
    this.#isDead = true;
    this.#return(() => this.#fail(reason));
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    this.destroy();
    this.#input.events.onBroken(reason);
  }

  #take(id: number, request: KvRequest): void {
    if (request.kind === "cancel") {
      this.#cancelled.add(id);
      return;
    }
    void this.#input.door?.answer(request).then((reply) => {
      const isWanted = !this.#cancelled.delete(id);
      if (reply !== undefined && isWanted) this.#reply([{ id, reply }]);
    });
  }

  #reply(replies: readonly DecodedPipeReply[]): void {
    this.#return(() => this.#input.events.onReplies(replies));
  }

  #send(take: () => void): void {
    const ifAlive = (): void => {
      if (!this.#isDead && !this.#isOver) take();
    };
    this.#lastThereMs = this.#carry(this.#lastThereMs, () =>
      this.#input.door?.whenRunning(ifAlive),
    );
  }

  #return(arrive: () => void): void {
    this.#lastBackMs = this.#carry(this.#lastBackMs, arrive);
  }

  /** Lets a message travel, after the one ahead of it; returns when it arrives. */
  #carry(notBeforeMs: number, arrive: () => void): number {
    const { world, drawLatency, isCut } = this.#input;
    const atMs = Math.max(notBeforeMs, world.nowMs + drawLatency());
    if (isCut()) return notBeforeMs;
    world.scheduleAt(atMs, () => {
      if (!this.#isOver) arrive();
    });
    return atMs;
  }
}
