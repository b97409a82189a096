import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import type { Socket } from "node:net";

/**
 * Credentials that see the connections made with them, and can cut those. Closing a client ends
 * its connection in order, which a stopped process never completes: each attempt to reach one
 * would leave a socket behind.
 */
export class SeverableConnection {
  readonly credentials: ChannelCredentials = credentials.createInsecure();
  readonly #sockets = new Set<Socket>();
  #isCut = false;

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

  /** Destroys the connection, or the one that is still being made as soon as it is. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#isCut) socket.destroy();
  }
}
