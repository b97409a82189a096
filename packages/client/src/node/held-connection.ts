import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import type { Socket } from "node:net";

/**
 * Credentials that see the connections made with them. Two things that grpc-js offers no way to:
 * letting go of the process (an open stream would keep it alive, though nobody waits for anything),
 * and cutting a connection whose node is stopped and would never complete an orderly end.
 */
export class HeldConnection {
  readonly credentials: ChannelCredentials = credentials.createInsecure();
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #isLetGo = false;

  constructor() {
    const { credentials: own } = this;
    const createConnector = own._createSecureConnector.bind(own);
    own._createSecureConnector = (target, options, call) => {
      const connector = createConnector(target, options, call);
      const connect = connector.connect.bind(connector);
      connector.connect = (socket) => {
        this.#take(socket);
        return connect(socket);
      };
      return connector;
    };
  }

  /** From now on it keeps no process alive. */
  letGo(): void {
    this.#isLetGo = true;
    for (const socket of this.#sockets) socket.unref();
  }

  /** Destroys the connection, or the one that is still being made as soon as it is. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#isCut) socket.destroy();
    else if (this.#isLetGo) socket.unref();
  }
}
