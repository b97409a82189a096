import { ok, strictEqual } from "node:assert/strict";
import { latin1, partitionOf } from "@coterie/core";
import { parseToken, tokenText } from "../../src/coordinator/token-text.ts";

const encoder = new TextEncoder();

/** The cursor of a scan: a token in hex, which comes back from clients. */
export const seeds: readonly Uint8Array[] = [
  "0000000000000000",
  "3fffffffffffffff",
  "ffffffffffffffff",
  "00000000000000000",
  "0x00000000000000",
  "ABCDEF0123456789",
].map((text) => encoder.encode(text));

export function run(input: Uint8Array): void {
  const text = latin1(input);
  const token = parseToken(text);
  if (token === undefined) return;
  strictEqual(tokenText(token), text);
  // Wherever a client says that it was, a scan goes on within the ring.
  for (const partitions of [1, 3, 1024]) ok(partitionOf(token, partitions) < partitions);
}
