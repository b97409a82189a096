import { PassThrough } from "node:stream";
import type { ReadStream } from "node:tty";
import { expect, it } from "vitest";
import { readKeys } from "../src/dev/keyboard.ts";

/** What the keys in `text` do, in their order. */
async function doneBy(text: string): Promise<readonly string[]> {
  const done: string[] = [];
  // A terminal, as far as it is read.
  const input = Object.assign(new PassThrough(), { setRawMode: () => undefined });
  const keys = readKeys(input as unknown as ReadStream, {
    act: (action, node) => done.push(`${action} ${node}`),
    quit: () => done.push("quit"),
  });
  for (const key of text) input.write(key);
  await new Promise(setImmediate);
  keys.close();
  return done;
}

it.each([
  ["k2", ["kill 2"]],
  ["k 2\rr 2\r", ["kill 2", "revive 2"]],
  ["P3R0", ["pause 3", "revive 10"]],
  ["2kx2 k1", ["kill 1"]],
  ["q\u0003", ["quit", "quit"]],
])("the keys %j do %j", async (text, expected) => {
  expect(await doneBy(text)).toEqual(expected);
});
