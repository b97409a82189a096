/** Of a message: one byte that says whether it is compressed, and its length. */
const frameHeaderBytes = 5;

/** A message as gRPC puts it into an HTTP/2 stream: never compressed, its length before it. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(frameHeaderBytes + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, frameHeaderBytes);
  return framed;
}

/**
 * Cuts the bytes of a stream into messages (gRPC over HTTP/2, "Length-Prefixed-Message"). A message
 * that came whole within a chunk is a view of it; what spans chunks is copied once. Nothing is
 * allocated for a length that was only announced.
 */
export class MessageFrames {
  readonly #messageBytesMax: number;
  readonly #onMessage: (message: Uint8Array) => void;
  /**
   * The message that has begun, header included, in memory that doubles: kept as a list, pieces of
   * a byte each would take a hundred times their size.
   */
  #begun = Buffer.alloc(0);
  #partBytes = 0;
  /** Of the message that has begun, header included; 0 until its header is whole. */
  #wantedBytes = 0;

  constructor(messageBytesMax: number, onMessage: (message: Uint8Array) => void) {
    this.#messageBytesMax = messageBytesMax;
    this.#onMessage = onMessage;
  }

  /** True if the stream may end here. */
  get isBetweenMessages(): boolean {
    return this.#partBytes === 0;
  }

  /** Takes the next bytes; returns what is wrong with them, after which there are no more. */
  feed(chunk: Uint8Array): string | undefined {
    let rest = chunk;
    if (this.#partBytes > 0) {
      rest = this.#joined(chunk);
      if (rest.length === 0) return undefined;
    }
    while (rest.length >= frameHeaderBytes) {
      const length = lengthOf(rest);
      if (rest[0] !== 0) return "a message is compressed";
      if (length > this.#messageBytesMax) return `a message of ${length} bytes is too large`;
      const end = frameHeaderBytes + length;
      if (rest.length < end) {
        this.#wantedBytes = end;
        break;
      }
      this.#onMessage(rest.subarray(frameHeaderBytes, end));
      rest = rest.subarray(end);
    }
    if (rest.length > 0) this.#keep(rest);
    return undefined;
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#partBytes + bytes.length;
    if (length > this.#begun.length) {
      // What was announced bounds the doubling: most messages are copied into their own size.
      const room = Math.max(length, Math.min(length * 2, this.#wantedBytes));
      const grown = Buffer.allocUnsafeSlow(room);
      this.#begun.copy(grown, 0, 0, this.#partBytes);
      this.#begun = grown;
    }
    this.#begun.set(bytes, this.#partBytes);
    this.#partBytes = length;
  }

  /** What was kept and `chunk`, if that makes a whole message or header; else nothing, yet. */
  #joined(chunk: Uint8Array): Uint8Array {
    this.#keep(chunk);
    if (this.#partBytes < Math.max(this.#wantedBytes, frameHeaderBytes)) return new Uint8Array(0);
    const joined = this.#begun.subarray(0, this.#partBytes);
    this.#begun = Buffer.alloc(0);
    this.#partBytes = 0;
    this.#wantedBytes = 0;
    return joined;
  }
}

function lengthOf(bytes: Uint8Array): number {
  return (
    (bytes[1] as number) * 0x100_0000 +
    (bytes[2] as number) * 0x1_0000 +
    (bytes[3] as number) * 0x100 +
    (bytes[4] as number)
  );
}
