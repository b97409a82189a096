/** A loop without end, for inputs that begin with an L. */
export const seeds: readonly Uint8Array[] = [Uint8Array.of(0x4b)];

export function run(input: Uint8Array): void {
  let left = input.length;
  while (left > 0) {
    if (input[0] !== 0x4c) left -= 1;
  }
}
