import { type Socket, connect } from "node:net";
import { once } from "node:events";

/** What a reply of RESP says; errors and statuses as text with their sign. */
export type Said = string | number | null | readonly Said[];

/** A Redis client that shows what the door says, in order. */
export class RawRedis {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(address: string) {
    const [host, port] = address.split(":");
    this.socket = connect({ host: host ?? "", port: Number(port), allowHalfOpen: true });
    this.socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    this.socket.on("error", () => undefined);
    this.socket.on("end", () => this.#end());
    this.socket.on("close", () => this.#end());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends bytes as they are. */
  send(text: string | Uint8Array): void {
    this.socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text);
  }

  /** Sends a command without waiting for its reply. */
  call(...words: readonly (string | number | Uint8Array)[]): void {
    const parts = words.map((word) =>
      word instanceof Uint8Array ? Buffer.from(word) : Buffer.from(String(word), "latin1"),
    );
    const chunks = parts.flatMap((part) => [`$${part.length}\r\n`, part, "\r\n"].map(bytes));
    this.socket.write(Buffer.concat([bytes(`*${parts.length}\r\n`), ...chunks]));
  }

  /** Sends a command and waits for its reply. */
  ask(...words: readonly (string | number | Uint8Array)[]): Promise<Said> {
    this.call(...words);
    return this.reply();
  }

  /** The next reply; `"(closed)"` when the door has closed the connection. */
  async reply(): Promise<Said> {
    for (;;) {
      const read = readReply(this.#received, 0);
      if (read !== undefined) {
        this.#received = this.#received.subarray(read.end);
        return read.said;
      }
      if (this.#isClosed) return "(closed)";
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async replies(count: number): Promise<readonly Said[]> {
    const said: Said[] = [];
    for (let at = 0; at < count; at += 1) said.push(await this.reply());
    return said;
  }

  async closed(): Promise<void> {
    if (!this.#isClosed) await once(this.socket, "end");
  }

  close(): void {
    this.socket.destroy();
  }

  #end(): void {
    this.#isClosed = true;
    this.#wake();
  }
}

function bytes(text: string | Buffer): Buffer {
  return typeof text === "string" ? Buffer.from(text) : text;
}

interface ReadReply {
  readonly said: Said;
  readonly end: number;
}

function readReply(from: Buffer, at: number): ReadReply | undefined {
  const lineEnd = from.indexOf("\r\n", at);
  if (lineEnd < 0) return undefined;
  const type = String.fromCharCode(from[at] ?? 0);
  const line = from.toString("latin1", at + 1, lineEnd);
  const end = lineEnd + 2;
  if (type === "+" || type === "-") return { said: `${type}${line}`, end };
  if (type === ":") return { said: Number(line), end };
  if (type === "_" || line === "-1") return { said: null, end };
  if (type === "$" || type === "=") {
    const last = end + Number(line);
    if (from.length < last + 2) return undefined;
    return { said: from.toString("latin1", end, last), end: last + 2 };
  }
  const count = Number(line) * (type === "%" ? 2 : 1);
  const items: Said[] = [];
  let next = end;
  for (let index = 0; index < count; index += 1) {
    const item = readReply(from, next);
    if (item === undefined) return undefined;
    items.push(item.said);
    next = item.end;
  }
  return { said: items, end: next };
}
