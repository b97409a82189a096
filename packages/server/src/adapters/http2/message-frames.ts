import { invariant } from "@coterie/core";
import type { Http2Stream } from "node:http2";

/** Of a message: one byte that says whether it is compressed, and its length. */
const frameHeaderBytes = 5;

/** From this length on a message is written where it is, and not copied behind its header. */
const copiedBytesMax = 16 * 1024;

const nothing: Uint8Array = Buffer.alloc(0);

/** A message as gRPC puts it into an HTTP/2 stream: never compressed, its length before it. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(frameHeaderBytes + message.length);
  framed.set(message, writeHeader(framed, message));
  return framed;
}

/** Writes a message to a stream, as {@link frame} does; nobody changes it before it is `sent`. */
export function writeFramed(stream: Http2Stream, message: Uint8Array, sent: () => void): void {
  if (message.length < copiedBytesMax) {
    stream.write(frame(message), sent);
    return;
  }
  const header = Buffer.allocUnsafe(frameHeaderBytes);
  writeHeader(header, message);
  stream.cork();
  stream.write(header);
  stream.write(message, sent);
  stream.uncork();
}

function writeHeader(target: Buffer, { length }: Uint8Array): number {
  target[0] = 0;
  return target.writeUInt32BE(length, 1);
}

/** What is wrong with a stream, after which nothing in it has a meaning. */
export interface FrameProblem {
  readonly kind: "compressed" | "too-large" | "cut" | "crowded";
  readonly message: string;
}

/** Memory for messages that have not come whole: of many streams together. */
export interface MessageRoom {
  /** False if there is not as much. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/**
 * Cuts the bytes of a stream into messages (gRPC over HTTP/2, "Length-Prefixed-Message"), as they
 * are asked for. A message that came whole within a chunk is a view of it; what spans chunks is
 * copied once. Nothing is allocated for a length that was only announced.
 */
export class MessageFrames {
  readonly #messageBytesMax: number;
  readonly #room: MessageRoom | undefined;
  /** The last chunk, and how much of it was cut already. */
  #chunk: Uint8Array = nothing;
  #at = 0;
  /**
   * The message that has begun, header included, in memory that doubles: kept as a list, pieces of
   * a byte each would take a hundred times their size.
   */
  #begun: Buffer = Buffer.alloc(0);
  #begunBytes = 0;
  /** Of the message that has begun, header included; 0 until its header is whole. */
  #wantedBytes = 0;
  #problem: FrameProblem | undefined;

  /** @param room that is asked before memory is taken for what spans chunks. */
  constructor(messageBytesMax: number, room?: MessageRoom) {
    this.#messageBytesMax = messageBytesMax;
    this.#room = room;
  }

  /** What is wrong with what was asked for; then there are no more messages. */
  get problem(): FrameProblem | undefined {
    return this.#problem;
  }

  /** True if the stream may end here. */
  get isBetweenMessages(): boolean {
    return this.#begunBytes === 0 && this.#at === this.#chunk.length;
  }

  /** Takes the next bytes, once there are no more messages in those before. */
  add(chunk: Uint8Array): void {
    invariant(this.#at === this.#chunk.length, "a chunk is cut before the next one is taken");
    if (this.#begunBytes === 0) this.#chunk = chunk;
    else if (this.#keep(chunk)) {
      const isEnough = this.#begunBytes >= Math.max(this.#wantedBytes, frameHeaderBytes);
      this.#chunk = isEnough ? this.#takeBegun() : nothing;
    } else this.#chunk = nothing;
    this.#at = 0;
  }

  /** Forgets what has come: there are no more messages. */
  drop(): void {
    this.#chunk = nothing;
    this.#at = 0;
    this.#takeBegun();
  }

  /** The next message; `undefined` if it has not come whole, or if there is a problem. */
  next(): Uint8Array | undefined {
    if (this.#problem !== undefined || this.#begunBytes > 0) return undefined;
    const [chunk, at] = [this.#chunk, this.#at];
    const start = at + frameHeaderBytes;
    if (start > chunk.length) return this.#keepRest(0);
    if (chunk[at] !== 0) return this.#fail("compressed", "a message is compressed");
    const length = lengthAt(chunk, at + 1);
    if (length > this.#messageBytesMax) {
      return this.#fail("too-large", `a message of ${length} bytes is too large`);
    }
    const end = start + length;
    if (end > chunk.length) return this.#keepRest(frameHeaderBytes + length);
    this.#at = end;
    return chunk.subarray(start, end);
  }

  #fail(kind: FrameProblem["kind"], message: string): undefined {
    this.#problem = { kind, message };
  }

  #keepRest(wantedBytes: number): undefined {
    this.#wantedBytes = wantedBytes;
    if (this.#at < this.#chunk.length) this.#keep(this.#chunk.subarray(this.#at));
    // A chunk is not held for the sake of what was copied out of it.
    this.#chunk = nothing;
    this.#at = 0;
  }

  /** False if there is no room for it. */
  #keep(bytes: Uint8Array): boolean {
    const length = this.#begunBytes + bytes.length;
    if (length > this.#begun.length) {
      // What was announced bounds the doubling: most messages are copied into their own size.
      const room = Math.max(length, Math.min(length * 2, this.#wantedBytes));
      if (this.#room?.take(room - this.#begun.length) === false) {
        this.#fail("crowded", "too many bytes of messages are on their way");
        return false;
      }
      const grown = Buffer.allocUnsafeSlow(room);
      this.#begun.copy(grown, 0, 0, this.#begunBytes);
      this.#begun = grown;
    }
    this.#begun.set(bytes, this.#begunBytes);
    this.#begunBytes = length;
    return true;
  }

  #takeBegun(): Uint8Array {
    const begun = this.#begun.subarray(0, this.#begunBytes);
    this.#room?.give(this.#begun.length);
    this.#begun = Buffer.alloc(0);
    this.#begunBytes = 0;
    this.#wantedBytes = 0;
    return begun;
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 0x100_0000 +
    (bytes[at + 1] as number) * 0x1_0000 +
    (bytes[at + 2] as number) * 0x100 +
    (bytes[at + 3] as number)
  );
}
