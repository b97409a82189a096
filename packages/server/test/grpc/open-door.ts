import type { CoterieNode, NodeApi } from "@coterie/cluster";
import { SystemClock } from "../../src/adapters/system-clock.ts";
import { type GrpcDoor, listenGrpc } from "../../src/doors/grpc/grpc-door.ts";
import { type GrpcDoorOptions, defaultGrpcOptions } from "../../src/doors/grpc/grpc-options.ts";
import type { ObservedCall } from "../../src/doors/grpc/kv-service.ts";
import { oneNode, valueBytesMax } from "../http/one-node.ts";
import { GrpcClient } from "./grpc-client.ts";

export interface OpenedDoor {
  readonly door: GrpcDoor;
  readonly node: CoterieNode;
  readonly client: GrpcClient;
  readonly observed: readonly ObservedCall[];
  readonly defects: readonly Error[];
  /** Another client, with a connection of its own. */
  readonly connect: () => GrpcClient;
}

export interface DoorChanges {
  readonly options?: Partial<GrpcDoorOptions>;
  /** Stands between the door and the node. */
  readonly wrap?: (node: NodeApi) => NodeApi;
  /** False: nothing is behind the door. */
  readonly serve?: boolean;
}

/** Doors and clients that a test opened, closed after it. */
export class OpenedDoors {
  readonly #closers: (() => void | Promise<void>)[] = [];

  async open({ options, wrap, serve = true }: DoorChanges = {}): Promise<OpenedDoor> {
    const { node } = await oneNode();
    const listening = await listenGrpc("127.0.0.1:0", new SystemClock(), {
      ...defaultGrpcOptions,
      valueBytesMax,
      connectionsMax: 100,
      unreadBytesMax: 64 * 1024 * 1024,
      begunBytesMax: 64 * 1024 * 1024,
      ...options,
    });
    if (!listening.ok) throw new Error(listening.message);
    const { door } = listening;
    const observed: ObservedCall[] = [];
    const defects: Error[] = [];
    if (serve) {
      door.serve({
        node: wrap?.(node) ?? node,
        observe: (call) => observed.push(call),
        onDefect: (error) => defects.push(error),
      });
    }
    this.#closers.push(() => door.close(1000));
    const connect = (): GrpcClient => {
      const client = new GrpcClient(door.address);
      this.#closers.push(() => client.close());
      return client;
    };
    return { door, node, client: connect(), observed, defects, connect };
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close();
    this.#closers.length = 0;
  }
}
