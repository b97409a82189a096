import { type Socket, connect, createServer } from "node:net";
import { clock } from "./test-node.ts";

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
}

/** Bytes on their way in one direction. */
class Journey {
  held = 0;
  heldMax = 0;
  readonly #delayMs: () => number;
  readonly #isFrozen: () => boolean;
  #waiting: (() => void)[] = [];

  constructor(delayMs: () => number, isFrozen: () => boolean) {
    this.#delayMs = delayMs;
    this.#isFrozen = isFrozen;
  }

  pipe(from: Socket, to: Socket): void {
    from.on("data", (bytes) => {
      this.held += bytes.length;
      this.heldMax = Math.max(this.heldMax, this.held);
      const deliver = (): void => {
        this.held -= bytes.length;
        if (!to.destroyed) to.write(bytes);
      };
      const arrive = (): void => {
        if (this.#isFrozen()) this.#waiting.push(deliver);
        else deliver();
      };
      if (this.#delayMs() === 0) arrive();
      else clock.at(clock.monotonicMs() + this.#delayMs(), arrive);
    });
    const end = (): void => {
      if (!this.#isFrozen()) to.destroy();
    };
    from.on("close", end);
    from.on("error", end);
  }

  thaw(): void {
    for (const deliver of this.#waiting.splice(0)) deliver();
  }
}

/** Stands between a client and a server, and makes the way between them long, or frozen. */
export class TcpProxy {
  readonly #connections = new Set<Connection>();
  readonly #server = createServer((client) => this.#accept(client));
  readonly #target: number;
  #isFrozen = false;
  delayMs = 0;
  /** Nothing arrives at the client, while the server hears all it says. */
  holdBack = false;
  accepted = 0;
  readonly toServer: Journey = this.#journey();
  readonly toClient: Journey = this.#journey(() => this.holdBack);

  /** @param target the port that connections are passed on to. */
  constructor(target: number) {
    this.#target = target;
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const bound = this.#server.address();
    return typeof bound === "object" && bound !== null ? bound.port : 0;
  }

  /** From now on nothing arrives, and nobody learns of anybody's end; as with a stopped process. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** What was under way arrives. */
  thaw(): void {
    this.#isFrozen = false;
    this.toServer.thaw();
    this.toClient.thaw();
    for (const { client, server } of this.#connections) {
      if (client.destroyed) server.destroy();
      if (server.destroyed) client.destroy();
    }
  }

  async close(): Promise<void> {
    for (const { client, server } of this.#connections) {
      client.destroy();
      server.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #journey(isHeldBack: () => boolean = () => false): Journey {
    return new Journey(
      () => this.delayMs,
      () => this.#isFrozen || isHeldBack(),
    );
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    const server = connect(this.#target, "127.0.0.1");
    this.#connections.add({ client, server });
    this.toServer.pipe(client, server);
    this.toClient.pipe(server, client);
  }
}
