import { utf8 } from "@coterie/core";
import type { RespReply } from "./resp-reply.ts";

/** Protocol versions of RESP that a client may choose between. */
export type RespVersion = 2 | 3;

const slabBytes = 64 * 1024;
/** With less room left, the next replies go to a new slab. */
const slabBytesLeast = 1024;
/** Bulk strings from this size on are passed on as they are, and not copied. */
const copiedBytesMax = 16 * 1024;
/** A type, the digits of a number, CR LF. */
const headerBytesMax = 32;

const cr = 13;
const lf = 10;

/**
 * Encodes replies, many for one write. It may be shared by all connections of a server, which take
 * turns: slabs are filled one after the other, and what was taken is never written to again.
 */
export class RespWriter {
  #slab = new Uint8Array(slabBytes);
  /** Where what was not taken yet begins in the slab. */
  #start = 0;
  #at = 0;
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;

  /** Bytes written and not taken. */
  get bytes(): number {
    return this.#chunkBytes + this.#at - this.#start;
  }

  /** What was written since the last time, in order. */
  take(): readonly Uint8Array[] {
    this.#closeChunk();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#chunkBytes = 0;
    if (this.#slab.length - this.#at < slabBytesLeast) this.#newSlab(slabBytes);
    return chunks;
  }

  write(reply: RespReply, version: RespVersion): void {
    if (reply instanceof Uint8Array) this.#bulk(reply);
    else if (typeof reply === "number") this.#number(0x3a, reply);
    else if (typeof reply === "string") this.#bulk(utf8(reply));
    else if (reply === null) this.#ascii(version === 3 ? "_\r\n" : "$-1\r\n");
    else if (typeof reply === "bigint") this.#ascii(`:${reply}\r\n`);
    else if ("kind" in reply) this.#tagged(reply, version);
    else this.#items(0x2a, reply, version);
  }

  #tagged(
    reply: Exclude<RespReply, Uint8Array | string | number | bigint | null | readonly RespReply[]>,
    version: RespVersion,
  ): void {
    const isThree = version === 3;
    switch (reply.kind) {
      case "status":
        return this.#line(0x2b, reply.text);
      case "error":
        return this.#line(0x2d, reply.text);
      case "null-array":
        return this.#ascii(isThree ? "_\r\n" : "*-1\r\n");
      case "map":
        this.#number(isThree ? 0x25 : 0x2a, reply.entries.length / (isThree ? 2 : 1));
        for (const entry of reply.entries) this.write(entry, version);
        return;
      case "set":
        return this.#items(isThree ? 0x7e : 0x2a, reply.items, version);
      case "double":
        return isThree ? this.#line(0x2c, reply.text) : this.#bulk(utf8(reply.text));
      case "boolean":
        return this.#ascii(
          isThree ? `#${reply.value ? "t" : "f"}\r\n` : `:${Number(reply.value)}\r\n`,
        );
      case "verbatim": {
        const text = utf8(reply.text);
        if (!isThree) return this.#bulk(text);
        this.#number(0x3d, text.length + 4);
        this.#raw(utf8("txt:"));
        this.#raw(text);
        this.#end();
      }
    }
  }

  #items(type: number, items: readonly RespReply[], version: RespVersion): void {
    this.#number(type, items.length);
    for (const item of items) this.write(item, version);
  }

  #bulk(bytes: Uint8Array): void {
    this.#number(0x24, bytes.length);
    this.#raw(bytes);
    this.#end();
  }

  #raw(bytes: Uint8Array): void {
    if (bytes.length > copiedBytesMax) {
      this.#closeChunk();
      this.#chunks.push(bytes);
      this.#chunkBytes += bytes.length;
      return;
    }
    this.#room(bytes.length);
    this.#slab.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #end(): void {
    this.#room(2);
    this.#slab[this.#at] = cr;
    this.#slab[this.#at + 1] = lf;
    this.#at += 2;
  }

  /** A line of text, which cannot have line ends in it. */
  #line(type: number, text: string): void {
    this.#room(1);
    this.#slab[this.#at] = type;
    this.#at += 1;
    this.#raw(utf8(text.replaceAll(/[\r\n]/gu, " ")));
    this.#end();
  }

  /** Text that is known to be ASCII, and short. */
  #ascii(text: string): void {
    this.#room(text.length);
    for (let index = 0; index < text.length; index += 1) {
      this.#slab[this.#at + index] = text.charCodeAt(index);
    }
    this.#at += text.length;
  }

  /** A type, a whole number, CR LF. */
  #number(type: number, value: number): void {
    this.#room(headerBytesMax);
    const slab = this.#slab;
    let at = this.#at;
    slab[at] = type;
    at += 1;
    if (value < 0 || value > 0xffff_ffff) {
      const text = String(value);
      for (let index = 0; index < text.length; index += 1)
        slab[at + index] = text.charCodeAt(index);
      at += text.length;
    } else at = this.#digits(value, at);
    slab[at] = cr;
    slab[at + 1] = lf;
    this.#at = at + 2;
  }

  #digits(value: number, from: number): number {
    let digits = 1;
    for (let bound = 10; value >= bound; bound *= 10) digits += 1;
    let rest = value;
    for (let at = from + digits - 1; at >= from; at -= 1) {
      const next = Math.floor(rest / 10);
      this.#slab[at] = 48 + rest - next * 10;
      rest = next;
    }
    return from + digits;
  }

  #room(bytes: number): void {
    if (this.#slab.length - this.#at >= bytes) return;
    this.#closeChunk();
    this.#newSlab(Math.max(slabBytes, bytes));
  }

  #newSlab(bytes: number): void {
    this.#slab = new Uint8Array(bytes);
    this.#start = 0;
    this.#at = 0;
  }

  #closeChunk(): void {
    if (this.#at === this.#start) return;
    const { buffer } = this.#slab;
    this.#chunks.push(new Uint8Array(buffer, this.#start, this.#at - this.#start));
    this.#chunkBytes += this.#at - this.#start;
    this.#start = this.#at;
  }
}
