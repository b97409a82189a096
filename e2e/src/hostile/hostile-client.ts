import { once } from "node:events";
import { type Socket, connect } from "node:net";

/** How long a node that takes nothing more is waited for. */
const patienceMs = 500;

/** A connection to a port, over which anything can be sent. */
export class HostileClient {
  readonly #socket: Socket;
  #isOpen = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#isOpen = false;
    });
    socket.resume();
  }

  static async open(port: number): Promise<HostileClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new HostileClient(socket);
  }

  /** False once the node has closed it, or takes nothing more. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  stopReading(): void {
    this.#socket.pause();
  }

  /** Settles when the node has room for more; after a while without, this gives up. */
  async send(bytes: Uint8Array): Promise<void> {
    if (!this.#isOpen || this.#socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#isOpen = false;
        resolve();
      }, patienceMs);
      const goOn = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#socket.once("drain", goOn);
      this.#socket.once("close", goOn);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
