import type { SeededRandom } from "@coterie/sim";
import type { Compared } from "./feedback.ts";

/** What a mutation may use beside the input. */
export interface Material {
  readonly corpus: readonly Uint8Array[];
  /** Texts and numbers of the format and of the code. */
  readonly dictionary: readonly (string | number)[];
  /** Comparisons that recently failed. */
  readonly compared: readonly Compared[];
  readonly bytesMax: number;
}

type Mutation = (input: Uint8Array, random: SeededRandom, material: Material) => Uint8Array;

const edgeNumbers = [
  0,
  1,
  127,
  128,
  255,
  256,
  32_767,
  65_535,
  65_536,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_ffff,
  2 ** 48 - 1,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
];

const mutations: readonly Mutation[] = [
  flipBit,
  setByte,
  addToByte,
  addToWord,
  insertBytes,
  removeRange,
  duplicateRange,
  truncate,
  splice,
  lieAboutLength,
  insertWord,
  insertWord,
  overwriteWord,
  overwriteWord,
  answerCompare,
  answerCompare,
  answerCompare,
  swapRanges,
];

/** A changed copy of `input`: one to some mutations, most often few. */
export function mutate(input: Uint8Array, random: SeededRandom, material: Material): Uint8Array {
  let mutant = input;
  for (let left = 1 << random.below(4); left > 0; left -= 1) {
    const mutation = mutations[random.below(mutations.length)] as Mutation;
    mutant = mutation(mutant, random, material);
  }
  return mutant.length > material.bytesMax ? mutant.slice(0, material.bytesMax) : mutant;
}

/** Bytes drawn without looking at anything: what a fuzzer must be better than. */
export function randomInput(random: SeededRandom, bytesMax: number): Uint8Array {
  return random.bytes(random.below(Math.min(bytesMax, 1 << random.below(13)) + 1));
}

function flipBit(input: Uint8Array, random: SeededRandom): Uint8Array {
  return withByte(input, random, (byte) => byte ^ (1 << random.below(8)));
}

function setByte(input: Uint8Array, random: SeededRandom): Uint8Array {
  return withByte(input, random, () => random.below(256));
}

function addToByte(input: Uint8Array, random: SeededRandom): Uint8Array {
  return withByte(input, random, (byte) => byte + random.below(33) - 16);
}

function withByte(
  input: Uint8Array,
  random: SeededRandom,
  change: (byte: number) => number,
): Uint8Array {
  if (input.length === 0) return random.bytes(1);
  const mutant = input.slice();
  const at = random.below(input.length);
  mutant[at] = change(mutant[at] as number);
  return mutant;
}

function addToWord(input: Uint8Array, random: SeededRandom): Uint8Array {
  if (input.length < 4) return flipBit(input, random);
  const mutant = input.slice();
  const view = new DataView(mutant.buffer);
  const at = random.below(input.length - 3);
  const isLittle = random.chance(500);
  view.setUint32(at, view.getUint32(at, isLittle) + random.below(65) - 32, isLittle);
  return mutant;
}

function insertBytes(input: Uint8Array, random: SeededRandom): Uint8Array {
  const count = 1 + random.below(1 << random.below(6));
  const bytes = random.chance(500)
    ? random.bytes(count)
    : new Uint8Array(count).fill(random.below(256));
  return joined(input, random.below(input.length + 1), 0, bytes);
}

function removeRange(input: Uint8Array, random: SeededRandom): Uint8Array {
  const { start, end } = rangeOf(input, random);
  return joined(input, start, end - start, new Uint8Array(0));
}

function duplicateRange(input: Uint8Array, random: SeededRandom): Uint8Array {
  const { start, end } = rangeOf(input, random);
  return joined(input, random.below(input.length + 1), 0, input.subarray(start, end));
}

function truncate(input: Uint8Array, random: SeededRandom): Uint8Array {
  return input.slice(0, random.below(input.length + 1));
}

function swapRanges(input: Uint8Array, random: SeededRandom): Uint8Array {
  const { start, end } = rangeOf(input, random);
  const without = joined(input, start, end - start, new Uint8Array(0));
  return joined(without, random.below(without.length + 1), 0, input.subarray(start, end));
}

function splice(input: Uint8Array, random: SeededRandom, { corpus }: Material): Uint8Array {
  const other = corpus[random.below(Math.max(1, corpus.length))] ?? input;
  const { start, end } = rangeOf(other, random);
  const at = random.below(input.length + 1);
  return joined(input, at, random.chance(500) ? end - start : 0, other.subarray(start, end));
}

/** Puts a length that fits, nearly fits or cannot fit where one may be. */
function lieAboutLength(input: Uint8Array, random: SeededRandom): Uint8Array {
  if (input.length === 0) return input;
  const at = random.below(input.length);
  const left = input.length - at;
  const lies = [left, left - 1, left + 1, left - 2, left - 4, left - 8, ...edgeNumbers];
  const bytes = numberBytes(Math.max(0, pick(lies, random) ?? 0), random);
  return joined(input, at, bytes.length, bytes);
}

function insertWord(input: Uint8Array, random: SeededRandom, material: Material): Uint8Array {
  return joined(input, random.below(input.length + 1), 0, wordOf(random, material));
}

function overwriteWord(input: Uint8Array, random: SeededRandom, material: Material): Uint8Array {
  const word = wordOf(random, material);
  return joined(input, random.below(input.length + 1), word.length, word);
}

function wordOf(random: SeededRandom, { dictionary }: Material): Uint8Array {
  const word = random.chance(850) ? pick(dictionary, random) : pick(edgeNumbers, random);
  return bytesOf(word ?? 0, random);
}

/** Finds one side of a comparison that failed, and puts the other side in its place. */
function answerCompare(input: Uint8Array, random: SeededRandom, material: Material): Uint8Array {
  const compared = pick(material.compared, random);
  if (compared === undefined) return overwriteWord(input, random, material);
  const isLeft = random.chance(500);
  const from = isLeft ? compared.left : compared.right;
  const to = isLeft ? compared.right : compared.left;
  const form = random.below(numberForms.length);
  const sought = bytesOf(from, random, form);
  const given = bytesOf(to, random, form);
  const places = placesOf(input, sought);
  const at = pick(places, random);
  if (at !== undefined) return joined(input, at, sought.length, given);
  return joined(
    input,
    random.below(input.length + 1),
    random.chance(500) ? given.length : 0,
    given,
  );
}

function placesOf(input: Uint8Array, sought: Uint8Array): number[] {
  const places: number[] = [];
  if (sought.length === 0) return places;
  const haystack = Buffer.from(input.buffer, input.byteOffset, input.length);
  let at = haystack.indexOf(sought);
  while (at !== -1 && places.length < 16) {
    places.push(at);
    at = haystack.indexOf(sought, at + 1);
  }
  return places;
}

function bytesOf(word: string | number, random: SeededRandom, form?: number): Uint8Array {
  if (typeof word === "number") return numberBytes(word, random, form);
  return Buffer.from(word, random.chance(500) ? "utf8" : "latin1");
}

const numberForms: readonly ((value: number) => Uint8Array)[] = [
  (value) => Uint8Array.of(value),
  (value) => fixed(2, (view) => view.setUint16(0, value, true)),
  (value) => fixed(2, (view) => view.setUint16(0, value)),
  (value) => fixed(4, (view) => view.setUint32(0, value, true)),
  (value) => fixed(4, (view) => view.setUint32(0, value)),
  (value) => fixed(8, (view) => view.setFloat64(0, value, true)),
  varint,
  (value) => Buffer.from(String(value), "latin1"),
];

function numberBytes(value: number, random: SeededRandom, form?: number): Uint8Array {
  const chosen = numberForms[form ?? random.below(numberForms.length)];
  return (chosen as (value: number) => Uint8Array)(value);
}

function fixed(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer));
  return bytes;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = Math.min(Math.abs(Math.trunc(value)) || 0, Number.MAX_SAFE_INTEGER);
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  bytes.push(left);
  return Uint8Array.from(bytes);
}

function rangeOf(input: Uint8Array, random: SeededRandom): { start: number; end: number } {
  const start = random.below(input.length + 1);
  const lengthMax = Math.min(input.length - start, 1 << random.below(9));
  return { start, end: start + random.below(lengthMax + 1) };
}

function joined(input: Uint8Array, at: number, removed: number, bytes: Uint8Array): Uint8Array {
  const end = Math.min(input.length, at + removed);
  const mutant = new Uint8Array(at + bytes.length + input.length - end);
  mutant.set(input.subarray(0, at));
  mutant.set(bytes, at);
  mutant.set(input.subarray(end), at + bytes.length);
  return mutant;
}

function pick<Item>(items: readonly Item[], random: SeededRandom): Item | undefined {
  return items.length === 0 ? undefined : items[random.below(items.length)];
}
