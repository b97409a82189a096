import { md5Head } from "../bytes/md5.ts";
import type { Key } from "../key.ts";
import { redisSlotOf, redisSlots } from "./redis-slot.ts";

/**
 * A position in the hash space, 64 bits as two unsigned halves; the upper one decides the
 * partition. Nothing relies on it against an attacker: keys whose tokens collide are told apart by
 * their bytes.
 */
export interface Token {
  readonly high: number;
  readonly low: number;
}

/** Positions that the upper half of a token tells apart. */
const hashSpan = 0x1_0000_0000;

/** One of Q equal slices of the hash space, 0 to Q − 1. */
export type PartitionId = number;

/** What makes keys tokens; chosen when a cluster forms, and the same for its life. */
export const keyHashes = ["md5", "redis-slots"] as const;
export type KeyHash = (typeof keyHashes)[number];

export function isKeyHash(name: unknown): name is KeyHash {
  return keyHashes.some((hash) => hash === name);
}

/** What makes a key's token and partition, of which a cluster's settings say both. */
export interface HashSpace {
  readonly hash: KeyHash;
  /** Q. */
  readonly partitions: number;
}

/** The token of a key. */
export function tokenOf(key: Key, space: HashSpace): Token {
  const spread = md5TokenOf(key);
  return space.hash === "md5" ? spread : withinSlot(redisSlotOf(key.key), spread, space.partitions);
}

/**
 * `md5`: the first 64 bits of MD5 over bucket, a zero byte, key (Dynamo, sections 4.2 and 4.3,
 * hashes with MD5 too).
 */
function md5TokenOf({ bucket, key }: Key): Token {
  return md5Head(bucket, key);
}

/** Of 2^32 positions, those of one Redis slot. */
const slotSpan = hashSpan / redisSlots;

/**
 * `redis-slots`: a slot is a slice of the hash space, and its keys are spread within it by their
 * MD5. A slot in which a partition ends lies in that partition whole: its keys keep to what is left
 * of it. So partition = ⌊slot · Q / 16 384⌋ for every Q, whatever the bucket and what is outside a
 * hash tag.
 */
function withinSlot(slot: number, { high, low }: Token, partitions: number): Token {
  const partition = Math.floor((slot * partitions) / redisSlots);
  const end = Math.ceil(((partition + 1) * hashSpan) / partitions);
  const room = Math.min(slotSpan, end - slot * slotSpan);
  return { high: slot * slotSpan + Math.floor((high * room) / hashSpan), low };
}

/** The partition of a token among `partitions` equal slices. */
export function partitionOf(token: Token, partitions: number): PartitionId {
  return Math.floor((token.high * partitions) / hashSpan);
}

/** Ring order. */
export function compareTokens(left: Token, right: Token): number {
  return left.high - right.high || left.low - right.low;
}
