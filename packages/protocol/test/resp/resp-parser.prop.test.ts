import * as fc from "fast-check";
import { expect, it } from "vitest";
import { RespParser } from "../../src/index.ts";

const limits = { bulkBytesMax: 4096, commandBytesMax: 100_000 };
const word = fc.uint8Array({ maxLength: 300 });
const commands = fc.array(fc.array(word, { minLength: 1, maxLength: 6 }), { maxLength: 8 });
const cuts = fc.array(fc.nat(3000), { maxLength: 20 });

function encode(sent: readonly (readonly Uint8Array[])[]): Buffer {
  return Buffer.concat(
    sent.flatMap((words) => [
      Buffer.from(`*${words.length}\r\n`),
      ...words.flatMap((each) => [Buffer.from(`$${each.length}\r\n`), each, Buffer.from("\r\n")]),
    ]),
  );
}

function readPieces(bytes: Buffer, at: readonly number[]): number[][][] {
  const parser = new RespParser(limits);
  const found: number[][][] = [];
  const ends = at.filter((end) => end < bytes.length).sort((a, b) => a - b);
  let from = 0;
  for (const to of [...ends, bytes.length]) {
    parser.feed(Uint8Array.from(bytes.subarray(from, to)));
    for (let words = parser.next(); words !== undefined; words = parser.next()) {
      found.push(words.map((each) => [...each]));
    }
    from = to;
  }
  expect(parser.problem).toBeUndefined();
  expect(parser.isBetweenCommands).toBe(true);
  expect(parser.heldBytes).toBe(0);
  return found;
}

it("reads what was sent, however it is cut", () => {
  fc.assert(
    fc.property(commands, cuts, (sent, at) => {
      const plain = sent.map((words) => words.map((each) => [...each]));
      expect(readPieces(encode(sent), at)).toEqual(plain);
    }),
  );
});

it("gives whole arguments of one piece as views of it", () => {
  const parser = new RespParser(limits);
  const bytes = new Uint8Array(encode([[Uint8Array.of(1, 2, 3), Uint8Array.of(4)]]));
  parser.feed(bytes);
  for (const each of parser.next() ?? []) expect(each.buffer).toBe(bytes.buffer);
});
