/** The first half of an MD5, which is written as `high` and `low`, each big-endian. */
export interface Md5Head {
  readonly high: number;
  readonly low: number;
}

const blockBytes = 64;
/** After the message: a bit that is set, zeros, and the message's length in 64 bits. */
const paddingBytesMin = 9;
/** Room for a bucket and a key, and all that MD5 puts behind them. */
const scratchBytes = 35 * blockBytes;

/** RFC 1321, section 3.4: how far the steps of each of the four rounds turn. */
const turns: Uint8Array = Uint8Array.of(7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21);
/** The same section's T: 2^32 · |sin(i)|, for i from 1 to 64. */
const sines: Int32Array = Int32Array.from({ length: 64 }, (_, index) =>
  Math.floor(Math.abs(Math.sin(index + 1)) * 2 ** 32),
);

// Used for one message after the other: memory of its own would cost each more than its hash.
const scratch: Uint8Array = new Uint8Array(scratchBytes);
const words: Int32Array = new Int32Array(blockBytes / 4);
const state: Int32Array = new Int32Array(4);

/**
 * The first 64 bits of the MD5 (RFC 1321) of an ASCII text, a zero byte and some bytes. A library
 * takes four times as long for a message of one block, most of it before and after the hashing.
 */
export function md5Head(text: string, bytes: Uint8Array): Md5Head {
  const length = text.length + 1 + bytes.length;
  const end = Math.ceil((length + paddingBytesMin) / blockBytes) * blockBytes;
  const message = end <= scratchBytes ? scratch : new Uint8Array(end);
  for (let at = 0; at < text.length; at += 1) message[at] = text.charCodeAt(at);
  message[text.length] = 0;
  message.set(bytes, text.length + 1);
  message[length] = 0x80;
  message.fill(0, length + 1, end);
  // Of its bits, which JavaScript's arrays keep below 2^36.
  writeWord(message, end - 8, length << 3);
  message[end - 4] = Math.floor(length / 2 ** 29);
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  for (let at = 0; at < end; at += blockBytes) hashBlock(message, at);
  return { high: bigEndian(state[0]), low: bigEndian(state[1]) };
}

function hashBlock(message: Uint8Array, start: number): void {
  for (let at = 0; at < words.length; at += 1) words[at] = wordAt(message, start + at * 4);
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  for (let step = 0; step < 64; step += 1) {
    const round = step >>> 4;
    let mixed = c ^ (b | ~d);
    let word = step * 7;
    if (round === 0) {
      mixed = (b & c) | (~b & d);
      word = step;
    } else if (round === 1) {
      mixed = (b & d) | (c & ~d);
      word = step * 5 + 1;
    } else if (round === 2) {
      mixed = b ^ c ^ d;
      word = step * 3 + 5;
    }
    const sum = (a + mixed + (sines[step] as number) + (words[word & 15] as number)) | 0;
    const turn = turns[(round << 2) | (step & 3)] as number;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}

/** MD5 writes its words with the lowest byte first. */
function bigEndian(word: number): number {
  const swapped = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  return swapped >>> 0;
}
