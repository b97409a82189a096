import type { KeySpace } from "./key-space.ts";
import type { Distribution } from "./mix.ts";
import type { Draw } from "./random.ts";
import { ScrambledZipfian, Zipfian } from "./zipfian.ts";

/** Draws the number of an existing key. */
export type ChooseKey = () => number;

/** Draws among the keys that are there: of those of the beginning, or for `latest` of all. */
export function keyChooser(distribution: Distribution, keys: KeySpace, draw: Draw): ChooseKey {
  const loaded = keys.count;
  if (distribution === "uniform") return () => Math.floor(draw() * loaded);
  if (distribution === "single") return () => 0;
  if (distribution === "zipfian") {
    const zipfian = new ScrambledZipfian(loaded);
    return () => zipfian.next(draw);
  }
  const ages = new Zipfian(loaded);
  return () => {
    ages.grow(keys.count);
    return keys.count - 1 - ages.next(draw);
  };
}
