import { type Socket, connect } from "node:net";

/** A connection that sends bytes as they are, and gathers what comes back. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  isClosed = false;
  #wake: () => void = () => undefined;

  constructor(address: string) {
    const [host, port] = address.split(":");
    this.socket = connect({ host: host as string, port: Number(port) });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (chunk: string) => {
      this.received += chunk;
      this.#wake();
    });
    // What a refused client meets when it is still sending.
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Resolves when what was received satisfies `condition`, or the connection was closed. */
  async until(condition: (received: string) => boolean): Promise<string> {
    while (!this.isClosed && !condition(this.received)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.received;
  }

  untilClosed(): Promise<string> {
    return this.until(() => false);
  }

  close(): void {
    this.socket.destroy();
  }
}

export function statusOf(received: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /u.exec(received)?.[1]);
}
