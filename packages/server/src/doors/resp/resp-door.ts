import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import type { Clock } from "@coterie/ports";
import { hostOf, portOf, withPort } from "../../config/addresses.ts";
import { commands } from "./commands/commands.ts";
import { RespConnection } from "./resp-connection.ts";
import { type RespDoorOptions, respTuning } from "./resp-options.ts";
import { type RespBackend, RespService } from "./resp-service.ts";
import { type RespStatistics, newRespStatistics } from "./resp-statistics.ts";

export type RespListenOutcome =
  | { readonly ok: true; readonly door: RespDoor }
  | { readonly ok: false; readonly message: string };

/** Opens the door; clients are not read before {@link RespDoor.serve}. */
export function listenResp(clock: Clock, options: RespDoorOptions): Promise<RespListenOutcome> {
  const { address } = options;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  return new Promise((resolve) => {
    // Of an open door, errors concern a connection that could not be taken: its client knows.
    server.on("error", ({ message }) => resolve({ ok: false, message }));
    server.listen(portOf(address), hostOf(address), () => {
      resolve({ ok: true, door: new RespDoor(server, clock, options) });
    });
  });
}

/** The door for Redis clients (docs/guide/redis.md), listening. */
export class RespDoor {
  /** `host:port`, with the port the system chose if 0 was asked for. */
  readonly address: string;
  readonly statistics: RespStatistics = newRespStatistics();
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #options: RespDoorOptions;
  readonly #connections = new Set<RespConnection>();
  /** Came before there was anything to serve them. */
  readonly #early = new Set<Socket>();
  #service: RespService | undefined;
  #nextId = 1;
  #onEmpty: (() => void) | undefined;
  readonly #checks: NodeJS.Timeout;

  constructor(server: Server, clock: Clock, options: RespDoorOptions) {
    this.#server = server;
    this.#clock = clock;
    this.#options = options;
    this.address = withPort(options.address, (server.address() as AddressInfo).port);
    server.on("connection", (socket) => this.#welcome(socket));
    const checkMs = options.tuning?.checkMs ?? respTuning.checkMs;
    this.#checks = setInterval(() => this.#check(), checkMs).unref();
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Answers by what is behind the door from now on. */
  serve(backend: RespBackend): void {
    this.#service = new RespService(backend, {
      clock: this.#clock,
      options: this.#options,
      address: this.address,
      statistics: this.statistics,
      commands,
    });
    for (const socket of this.#early) this.#serve(socket, this.#service);
    this.#early.clear();
  }

  /**
   * Takes no new connections and carries out no new commands; resolves when those in flight are
   * answered, or when `graceMs` are over and what is left was cut.
   */
  async close(graceMs: number): Promise<void> {
    clearInterval(this.#checks);
    if (this.#service !== undefined) this.#service.isClosing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#early) socket.destroy();
    const emptied = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#connections.size === 0) resolve();
    });
    for (const connection of this.#connections) connection.endAfterReplies();
    const cancel = this.#clock.at(this.#clock.monotonicMs() + graceMs, () => {
      for (const connection of this.#connections) connection.destroy();
    });
    await emptied;
    cancel();
    await closed;
  }

  #welcome(socket: Socket): void {
    const service = this.#service;
    this.statistics.connectionsReceived += 1;
    if (this.#connections.size + this.#early.size >= this.#options.connectionsMax) {
      this.statistics.connectionsRefused += 1;
      socket.on("error", () => socket.destroy());
      socket.end("-ERR max number of clients reached\r\n", () => socket.destroy());
      return;
    }
    if (service !== undefined) return this.#serve(socket, service);
    this.#early.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#early.delete(socket));
  }

  #serve(socket: Socket, service: RespService): void {
    const connection = new RespConnection(socket, service, this.#nextId);
    this.#nextId += 1;
    this.#connections.add(connection);
    socket.once("close", () => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#onEmpty?.();
    });
    socket.resume();
  }

  #check(): void {
    const now = this.#clock.monotonicMs();
    for (const connection of this.#connections) connection.check(now);
  }
}
