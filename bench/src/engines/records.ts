import { utf8 } from "@coterie/core";
import type { PlacedKey, StoredRecord } from "@coterie/storage";
import { author, keyOf, placedKey, recordOf } from "../anti-entropy/fill.ts";
import { fnvText } from "../workload/fnv.ts";
import { seededDraw } from "../workload/random.ts";
import type { EngineShape } from "./tasks.ts";

const poolBytes = 16 * 1024 * 1024;
const word = 2 ** 32;

function nameOf(number: number): string {
  return `key-${fnvText(number)}`;
}

/** Bytes of every key. */
export const keyBytes: number = utf8(nameOf(0)).length;

/**
 * Numbered keys, whose tokens lie in random order, and what each holds in each of its versions: the
 * same in every process. Values are cut from random bytes at random places: nearly free to make,
 * and too far from each other for a compressor to see that they overlap.
 */
export class Records {
  readonly #shape: EngineShape;
  readonly #pool: Uint8Array;

  constructor(shape: EngineShape) {
    this.#shape = shape;
    const draw = seededDraw(1);
    const words = new Uint32Array(Math.ceil((poolBytes + shape.valueBytes) / 4));
    for (let at = 0; at < words.length; at += 1) words[at] = draw() * word;
    this.#pool = new Uint8Array(words.buffer);
  }

  key(number: number): PlacedKey {
    return placedKey(keyOf(nameOf(number)), this.#shape.partitions);
  }

  /** Of a version from 1 on. */
  value(number: number, version: number): Uint8Array {
    const mixed = Math.imul(number, 0x9e3779b1) + Math.imul(version, 0x85ebca6b);
    const from = (mixed >>> 0) % poolBytes;
    return this.#pool.subarray(from, from + this.#shape.valueBytes);
  }

  record(key: PlacedKey, number: number, version: number): StoredRecord {
    return recordOf(key, { actor: author, counter: version }, this.value(number, version));
  }

  /** The version that a record holds. */
  versionIn({ record }: StoredRecord): number {
    return record.clock.get(author);
  }
}
