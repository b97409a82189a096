import { describe, expect, it } from "vitest";
import { RespParser } from "../../src/index.ts";

const limits = { bulkBytesMax: 100, commandBytesMax: 1000 };

interface Read {
  readonly commands: readonly (readonly string[])[];
  readonly problem: string | undefined;
}

/** What is read of `text`, fed in pieces of `size` characters. */
function read(text: string, size: number = text.length, given = limits): Read {
  const parser = new RespParser(given);
  const bytes = Buffer.from(text, "latin1");
  const commands: string[][] = [];
  for (let at = 0; at < bytes.length; at += Math.max(1, size)) {
    parser.feed(bytes.subarray(at, at + size));
    for (let words = parser.next(); words !== undefined; words = parser.next()) {
      commands.push(words.map((word) => Buffer.from(word).toString("latin1")));
    }
  }
  return { commands, problem: parser.problem };
}

describe("commands are read", () => {
  it.each<[string, string, readonly (readonly string[])[]]>([
    ["an array", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", [["GET", "a"]]],
    ["two at once", "*1\r\n$4\r\nPING\r\n*1\r\n$1\r\nx\r\n", [["PING"], ["x"]]],
    ["an empty argument", "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", [["ECHO", ""]]],
    ["line ends in arguments", "*1\r\n$4\r\n\r\n\0\xff\r\n", [["\r\n\0\xff"]]],
    ["an empty array, which is nothing", "*0\r\n*-1\r\n*1\r\n$1\r\nx\r\n", [["x"]]],
    ["a line", "PING\r\n", [["PING"]]],
    ["a line that ends as in Unix", "SET a  b\n", [["SET", "a", "b"]]],
    ["an empty line, which is nothing", "\r\n\n  \r\nPING\r\n", [["PING"]]],
    ["quotes", `a "b c" 'd "e' "\\x41\\n\\"" 'it\\'s'\n`, [["a", "b c", 'd "e', 'A\n"', "it's"]]],
    ["escapes that are none", `"\\xzz\\q"\n`, [["xzzq"]]],
    ["half a command, which waits", "*2\r\n$3\r\nGET\r\n$1\r\n", []],
  ])("%s", (_, text, commands) => {
    for (const size of [text.length, 1, 2, 3]) {
      expect(read(text, size)).toEqual({ commands, problem: undefined });
    }
  });
});

describe("what is broken is told in Redis' words", () => {
  it.each<[string, string]>([
    ["*x\r\n", "invalid multibulk length"],
    ["*1048577\r\n", "invalid multibulk length"],
    ["*01\r\n", "invalid multibulk length"],
    ["*99999999999999999999\r\n", "invalid multibulk length"],
    ["*1\r\n:1\r\n", "expected '$', got ':'"],
    ["*1\r\n$-10\r\n", "invalid bulk length"],
    ["*1\r\n$blabla\r\n", "invalid bulk length"],
    ["*1\r\n$2000000000\r\n", "invalid bulk length"],
    ["*1\r\n$1\r\nab\r\n", "expected CR LF after an argument"],
    ["*1\rx", "expected LF after CR"],
    [`SET a "b\n`, "unbalanced quotes in request"],
    [`SET a "b"c\n`, "unbalanced quotes in request"],
    ["x".repeat(65_537), "too big inline request"],
    [`*${"1".repeat(65_537)}`, "too big mbulk count string"],
    [`*1\r\n$${"1".repeat(65_537)}`, "too big bulk count string"],
  ])("%j", (text, problem) => {
    expect(read(text)).toEqual({ commands: [], problem });
    expect(read(text, 7)).toEqual({ commands: [], problem });
  });

  it("and nothing is read after it", () => {
    expect(read("*x\r\nPING\r\n").commands).toEqual([]);
  });
});

describe("what is over a limit", () => {
  it.each([1, 7, 1000])("is read past, in pieces of %d", (size) => {
    const parser = new RespParser(limits);
    const text = `*3\r\n$3\r\nSET\r\n$1\r\na\r\n$101\r\n${"x".repeat(101)}\r\nPING\r\n`;
    const seen: [number, boolean][] = [];
    for (let at = 0; at < text.length; at += size) {
      parser.feed(Buffer.from(text.slice(at, at + size)));
      for (let words = parser.next(); words !== undefined; words = parser.next()) {
        seen.push([words.length, parser.isOverLimit]);
      }
    }
    expect(seen).toEqual([
      [3, true],
      [1, false],
    ]);
  });

  it("counts all arguments of a command together", () => {
    const parser = new RespParser(limits);
    const word = `$100\r\n${"y".repeat(100)}\r\n`;
    parser.feed(Buffer.from(`*6\r\n${word.repeat(6)}`));
    const words = parser.next() ?? [];
    expect(parser.isOverLimit).toBe(true);
    expect(words.map(({ length }) => length)).toEqual([100, 100, 100, 100, 100, 0]);
  });
});

it("takes memory for what has come, and not for what was announced", () => {
  const parser = new RespParser({ bulkBytesMax: 2 ** 29, commandBytesMax: 2 ** 30 });
  parser.feed(Buffer.from(`*1048576\r\n$${2 ** 29}\r\n`));
  expect(parser.next()).toBeUndefined();
  expect(parser.heldBytes).toBeLessThan(1000);
  parser.feed(new Uint8Array(3000));
  expect(parser.next()).toBeUndefined();
  expect(parser.heldBytes).toBeGreaterThanOrEqual(3000);
  expect(parser.heldBytes).toBeLessThan(10_000);
});

it("says whether a command came as a line, and whether one has begun", () => {
  const parser = new RespParser(limits);
  parser.feed(Buffer.from("PING\r\n*1\r\n$1\r\nx\r\n*1"));
  expect(parser.next()?.length).toBe(1);
  expect(parser.isInline).toBe(true);
  expect(parser.next()?.length).toBe(1);
  expect(parser.isInline).toBe(false);
  expect(parser.next()).toBeUndefined();
  expect(parser.isBetweenCommands).toBe(false);
  parser.feed(Buffer.from("\r\n$1\r\nx\r\n"));
  expect(parser.next()?.length).toBe(1);
  expect(parser.isBetweenCommands).toBe(true);
});
