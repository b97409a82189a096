import { PassThrough } from "node:stream";
import type { ReadStream } from "node:tty";
import { expect, it } from "vitest";
import { nodesIn } from "../src/dev/dev-order.ts";
import { readKeys } from "../src/dev/keyboard.ts";

/** What the keys in `text` do, in their order. */
async function doneBy(text: string): Promise<readonly string[]> {
  const done: string[] = [];
  // A terminal, as far as it is read.
  const input = Object.assign(new PassThrough(), { setRawMode: () => undefined });
  const keys = readKeys(input as unknown as ReadStream, {
    act: (order) => done.push([order.kind, ...nodesIn(order)].join(" ")),
    quit: () => done.push("quit"),
  });
  for (const key of text) input.write(key);
  await new Promise(setImmediate);
  keys.close();
  return done;
}

it.each([
  ["k2", ["kill n2"]],
  ["k 2\rr 2\r", ["kill n2", "revive n2"]],
  ["P3R0", ["pause n3", "revive n10"]],
  ["2kx2 k1", ["kill n1"]],
  ["c 1h", ["cut n1", "heal"]],
  ["q\u0003", ["quit", "quit"]],
])("the keys %j do %j", async (text, expected) => {
  expect(await doneBy(text)).toEqual(expected);
});
