import { closeSync, openSync, readSync, readdirSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

/** One bit of each of so many bytes of a file, spread over all of it, is another one. */
function flipBits(file: string, count: number): void {
  const descriptor = openSync(file, "r+");
  const byte = new Uint8Array(1);
  const { size } = statSync(file);
  for (let index = 0; index < count; index += 1) {
    // The golden ratio spreads places evenly, and differently for every size.
    const at = Math.floor(((index * 0.618_033_988_75) % 1) * size);
    readSync(descriptor, byte, 0, 1, at);
    writeSync(descriptor, Uint8Array.of((byte[0] ?? 0) ^ (1 << (index % 8))), 0, 1, at);
  }
  closeSync(descriptor);
}

/** Damages the two largest segments and the checkpoint of a node that is down; says which. */
export function rot(directory: string, bits: number): readonly string[] {
  const files = readdirSync(directory);
  const bySize = (name: string): number => -statSync(join(directory, name)).size;
  const segments = files
    .filter((name) => /^log-\d+\.seg$/u.test(name))
    .toSorted((left, right) => bySize(left) - bySize(right));
  const checkpoints = files.filter((name) => /^checkpoint-\d+$/u.test(name));
  const damaged = [...segments.slice(0, 2), ...checkpoints];
  for (const name of damaged) flipBits(join(directory, name), Math.ceil(bits / damaged.length));
  return damaged;
}
