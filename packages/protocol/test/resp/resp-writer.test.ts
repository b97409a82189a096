import { describe, expect, it } from "vitest";
import { type RespReply, RespWriter, respError, respMap, respStatus } from "../../src/index.ts";

function written(reply: RespReply, version: 2 | 3): string {
  const writer = new RespWriter();
  writer.write(reply, version);
  return Buffer.concat(writer.take()).toString("latin1");
}

describe("replies in both versions of the protocol", () => {
  it.each<[string, RespReply, string, string]>([
    ["bytes", Uint8Array.of(0, 255), "$2\r\n\0\xff\r\n", "$2\r\n\0\xff\r\n"],
    ["text", "é", "$2\r\n\xc3\xa9\r\n", "$2\r\n\xc3\xa9\r\n"],
    ["a number", 42, ":42\r\n", ":42\r\n"],
    ["zero", 0, ":0\r\n", ":0\r\n"],
    ["a negative number", -7, ":-7\r\n", ":-7\r\n"],
    ["a large number", 2 ** 40, ":1099511627776\r\n", ":1099511627776\r\n"],
    ["64 bits", 2n ** 63n - 1n, ":9223372036854775807\r\n", ":9223372036854775807\r\n"],
    ["nothing", null, "$-1\r\n", "_\r\n"],
    ["no array", { kind: "null-array" }, "*-1\r\n", "_\r\n"],
    ["a status", respStatus("OK"), "+OK\r\n", "+OK\r\n"],
    ["an error of two lines", respError("ERR a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n"],
    [
      "a list",
      [1, ["x"], null],
      "*3\r\n:1\r\n*1\r\n$1\r\nx\r\n$-1\r\n",
      "*3\r\n:1\r\n*1\r\n$1\r\nx\r\n_\r\n",
    ],
    ["a map", respMap("a", 1), "*2\r\n$1\r\na\r\n:1\r\n", "%1\r\n$1\r\na\r\n:1\r\n"],
    ["a set", { kind: "set", items: [1] }, "*1\r\n:1\r\n", "~1\r\n:1\r\n"],
    ["a decimal", { kind: "double", text: "1.5" }, "$3\r\n1.5\r\n", ",1.5\r\n"],
    ["true", { kind: "boolean", value: true }, ":1\r\n", "#t\r\n"],
    ["text for people", { kind: "verbatim", text: "x" }, "$1\r\nx\r\n", "=5\r\ntxt:x\r\n"],
  ])("%s", (_, reply, two, three) => {
    expect(written(reply, 2)).toBe(two);
    expect(written(reply, 3)).toBe(three);
  });
});

it("gathers replies, keeps their order, and leaves what was taken alone", () => {
  const writer = new RespWriter();
  const large = new Uint8Array(70_000).fill(1);
  const expected: Buffer[] = [];
  const taken: Uint8Array[] = [];
  for (let round = 0; round < 300; round += 1) {
    const small = new Uint8Array(round % 1500).fill(round % 256);
    for (const bytes of [small, ...(round % 40 === 0 ? [large] : [])]) {
      writer.write(bytes, 2);
      expected.push(Buffer.from(`$${bytes.length}\r\n`), Buffer.from(bytes), Buffer.from("\r\n"));
    }
    if (round % 7 !== 0) continue;
    const { bytes } = writer;
    const chunks = writer.take();
    expect(chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(bytes);
    expect(writer.bytes).toBe(0);
    taken.push(...chunks);
  }
  taken.push(...writer.take());
  expect(Buffer.concat(taken).equals(Buffer.concat(expected))).toBe(true);
});

it("does not copy large values", () => {
  const writer = new RespWriter();
  const large = new Uint8Array(100_000);
  writer.write(large, 2);
  expect(writer.take()).toContain(large);
});
