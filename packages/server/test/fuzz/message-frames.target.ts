import { deepStrictEqual, ok } from "node:assert/strict";
import { MessageFrames, frame } from "../../src/adapters/http2/message-frames.ts";

const messageBytesMax = 300;

/** A stream between nodes over HTTP/2, cut anywhere: the first two bytes say where. */
export const seeds: readonly Uint8Array[] = [
  [Uint8Array.of(0, 3), frame(new Uint8Array(0)), frame(new Uint8Array(9))],
  [Uint8Array.of(7, 1), frame(new Uint8Array(40)), frame(new Uint8Array(messageBytesMax))],
  [Uint8Array.of(5, 5), Uint8Array.of(0, 0, 0, 1, 45), new Uint8Array(100)],
  [Uint8Array.of(2, 9), Uint8Array.of(1, 0, 0, 0, 1, 1)],
  [Uint8Array.of(4, 4), Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff)],
].map((parts) => Buffer.concat(parts));

export function run(input: Uint8Array): void {
  const stream = input.subarray(2);
  const [first = 0, second = 0] = input;
  const whole = read(stream, []);
  deepStrictEqual(read(stream, [first, first + second]), whole);
  deepStrictEqual(read(stream, [...stream.keys()]), whole);
  const written = whole.messages.map((message) => frame(Uint8Array.from(message)));
  const length = written.reduce((sum, bytes) => sum + bytes.length, 0);
  ok(Buffer.concat(written).equals(stream.subarray(0, length)));
  for (const message of whole.messages) ok(message.length <= messageBytesMax);
  if (whole.problem === undefined) deepStrictEqual(whole.isBetween, length === stream.length);
}

interface Read {
  readonly messages: readonly (readonly number[])[];
  readonly problem: string | undefined;
  readonly isBetween: boolean | undefined;
}

function read(stream: Uint8Array, cuts: readonly number[]): Read {
  const messages: number[][] = [];
  const frames = new MessageFrames(messageBytesMax);
  let from = 0;
  for (const to of [...cuts, stream.length]) {
    frames.add(stream.subarray(from, to));
    for (let message = frames.next(); message !== undefined; message = frames.next()) {
      messages.push([...message]);
    }
    const { problem } = frames;
    if (problem !== undefined) return { messages, problem: problem.message, isBetween: undefined };
    from = to;
  }
  return { messages, problem: undefined, isBetween: frames.isBetweenMessages };
}
