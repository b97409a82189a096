import type { PipeStream, StreamEvents, Transport } from "@coterie/client/testing";
import type { LatencyRange, SeededRandom, World } from "@coterie/sim";
import { ClientStream } from "./client-stream.ts";
import type { NodeDoor } from "./node-door.ts";

const latency: LatencyRange = { msMin: 0.25, msMax: 1 };

/** The network between clients and nodes. */
export class ClientNetwork implements Transport {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #doors: readonly NodeDoor[];
  /** Nodes that clients do not reach. */
  readonly #cut = new Set<string>();
  readonly #streams = new Map<string, Set<ClientStream>>();

  constructor(world: World, doors: readonly NodeDoor[]) {
    this.#world = world;
    this.#random = world.random.fork("clients/network");
    this.#doors = doors;
  }

  open(address: string, events: StreamEvents): PipeStream {
    const door = this.#doors.find((each) => each.address === address);
    const streams = this.#streams.get(address) ?? new Set();
    this.#streams.set(address, streams);
    const stream = new ClientStream({
      world: this.#world,
      door,
      events,
      drawLatency: () => this.#world.latency(latency, this.#random),
      isCut: () => door !== undefined && this.#cut.has(door.id),
      onOver: () => streams.delete(stream),
    });
    streams.add(stream);
    return stream;
  }

  /** From now on messages between clients and the node vanish. */
  cut(node: string): void {
    this.#cut.add(node);
  }

  heal(): void {
    this.#cut.clear();
  }

  /** The node's process is gone: its connections break. */
  breakStreams(door: NodeDoor): void {
    for (const stream of this.#streams.get(door.address) ?? []) stream.break("connection reset");
  }
}
