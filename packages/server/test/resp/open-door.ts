import type { CoterieNode, NodeApi } from "@coterie/cluster";
import { SystemClock } from "../../src/adapters/system-clock.ts";
import { type RespDoor, listenResp } from "../../src/doors/resp/resp-door.ts";
import type { RespDoorOptions } from "../../src/doors/resp/resp-options.ts";
import type { ObservedCommand, RespEvent } from "../../src/doors/resp/resp-service.ts";
import { oneNode, valueBytesMax } from "../http/one-node.ts";
import { RawRedis } from "./raw-redis.ts";

export interface OpenedDoor {
  readonly door: RespDoor;
  readonly node: CoterieNode;
  readonly client: RawRedis;
  readonly observed: readonly ObservedCommand[];
  readonly events: readonly RespEvent[];
  readonly defects: readonly Error[];
  /** Another client, with a connection of its own. */
  readonly connect: () => RawRedis;
}

export interface DoorChanges {
  readonly options?: Partial<RespDoorOptions>;
  /** Stands between the door and the node. */
  readonly wrap?: (node: NodeApi) => NodeApi;
}

/** Doors and clients that a test opened, closed after it. */
export class OpenedDoors {
  readonly #closers: (() => void | Promise<void>)[] = [];

  async open({ options, wrap }: DoorChanges = {}): Promise<OpenedDoor> {
    const { node } = await oneNode();
    const listening = await listenResp(new SystemClock(), {
      address: "127.0.0.1:0",
      bucket: "redis",
      mayFlush: false,
      connectionsMax: 100,
      valueBytesMax,
      unreadBytesMax: 64 * 1024 * 1024,
      heldBytesMax: 64 * 1024 * 1024,
      ...options,
    });
    if (!listening.ok) throw new Error(listening.message);
    const { door } = listening;
    const observed: ObservedCommand[] = [];
    const events: RespEvent[] = [];
    const defects: Error[] = [];
    door.serve({
      node: wrap?.(node) ?? node,
      observe: (command) => observed.push(command),
      onEvent: (event) => events.push(event),
      onDefect: (error) => defects.push(error),
    });
    this.#closers.push(() => door.close(1000));
    const connect = (): RawRedis => {
      const client = new RawRedis(door.address);
      this.#closers.push(() => client.close());
      return client;
    };
    return { door, node, client: connect(), observed, events, defects, connect };
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close();
    this.#closers.length = 0;
  }
}
