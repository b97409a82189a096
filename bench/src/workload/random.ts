/** Draws numbers from 0 up to, and without, 1. */
export type Draw = () => number;

/** sfc32 (Doty-Humphrey): a run with the same seed sends the same operations. */
export function seededDraw(seed: number): Draw {
  let a = seed >>> 0;
  let b = 0x9e3779b9;
  let c = 0x243f6a88;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 20; round += 1) next();
  // 53 bits: the scrambled zipfian draws among ten thousand million items.
  return () => ((next() >>> 5) * 0x400_0000 + (next() >>> 6)) / 2 ** 53;
}
