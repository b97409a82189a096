import { md5 } from "@noble/hashes/legacy.js";
import type { Key } from "../key.ts";

/**
 * A position in the hash space: the first 64 bits of MD5 over bucket, a zero byte, key, as two
 * unsigned 32-bit halves. MD5 spreads keys; nothing relies on it against an attacker: keys whose
 * tokens collide are told apart by their bytes.
 */
export interface Token {
  readonly high: number;
  readonly low: number;
}

/** One of Q equal slices of the hash space, 0 to Q − 1. */
export type PartitionId = number;

/** The token of a key (Dynamo, section 4.2 and 4.3, hashes with MD5 too). */
export function tokenOf({ bucket, key }: Key): Token {
  const input = new Uint8Array(bucket.length + 1 + key.length);
  for (let at = 0; at < bucket.length; at += 1) input[at] = bucket.charCodeAt(at);
  input.set(key, bucket.length + 1);
  const hash = md5(input);
  return { high: bigEndian(hash, 0), low: bigEndian(hash, 4) };
}

/** The partition of a token among `partitions` equal slices. */
export function partitionOf(token: Token, partitions: number): PartitionId {
  return Math.floor((token.high * partitions) / 0x1_0000_0000);
}

function bigEndian(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

/** Ring order. */
export function compareTokens(left: Token, right: Token): number {
  return left.high - right.high || left.low - right.low;
}
