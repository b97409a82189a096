import { deepStrictEqual, ok } from "node:assert/strict";
import { RespParser } from "../../src/index.ts";

const limits = { bulkBytesMax: 200, commandBytesMax: 1500 };

/** What Redis clients send, cut anywhere: the first two bytes say where. */
export const seeds: readonly Uint8Array[] = [
  "\x03\x05*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n",
  "\x09\x01*2\r\n$3\r\nGET\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n",
  `\x02\x02SET 'a b' "\\x41\\n"\r\nPING\r\n\r\n`,
  `\x04\x08*2\r\n$201\r\n${"x".repeat(201)}\r\n$1\r\nx\r\n`,
  "\x01\x01*1\r\n$-1\r\n",
  "\x01\x01*-1\r\n*0\r\n*1048576\r\n$536870912\r\nx",
].map((text) => Buffer.from(text, "latin1"));

export function run(input: Uint8Array): void {
  const [first = 0, second = 0] = input;
  const stream = input.subarray(2);
  const whole = read(stream, []);
  deepStrictEqual(read(stream, [first, first + second]), whole);
  deepStrictEqual(read(stream, [...stream.keys()]), whole);
  if (whole.problem !== undefined) return;
  // What was read survives being sent again, but for what was over a limit.
  const again = whole.commands.filter(({ isOverLimit }) => !isOverLimit);
  const bytes = Buffer.concat(again.map(({ words }) => encode(words)));
  const wasLine = ({ words }: Command): Command => ({ words, isInline: false, isOverLimit: false });
  const { bulkBytesMax } = limits;
  if (again.some(({ words }) => words.some((word) => word.length > bulkBytesMax))) return;
  if (again.some(({ words }) => words.length > 10)) return;
  deepStrictEqual(read(bytes, []).commands, again.map(wasLine));
}

interface Command {
  readonly words: readonly (readonly number[])[];
  readonly isInline: boolean;
  readonly isOverLimit: boolean;
}

interface Read {
  readonly commands: readonly Command[];
  readonly problem: string | undefined;
  readonly isBetweenCommands: boolean;
}

function read(stream: Uint8Array, cuts: readonly number[]): Read {
  const parser = new RespParser(limits);
  const commands: Command[] = [];
  let from = 0;
  for (const to of [...cuts, stream.length]) {
    parser.feed(stream.subarray(from, to));
    for (let words = parser.next(); words !== undefined; words = parser.next()) {
      const { isInline, isOverLimit } = parser;
      commands.push({ words: words.map((word) => [...word]), isInline, isOverLimit });
    }
    ok(parser.heldBytes <= 4096 + 200 * (to + 1), "memory for what has come");
    from = Math.max(from, to);
    if (parser.problem !== undefined) break;
  }
  const { problem, isBetweenCommands } = parser;
  return { commands, problem, isBetweenCommands };
}

function encode(words: readonly (readonly number[])[]): Buffer {
  return Buffer.concat([
    Buffer.from(`*${words.length}\r\n`),
    ...words.flatMap((word) => [
      Buffer.from(`$${word.length}\r\n`),
      Uint8Array.from(word),
      Buffer.from("\r\n"),
    ]),
  ]);
}
