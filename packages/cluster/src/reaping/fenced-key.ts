import type { PlacedKey } from "@coterie/storage";

/**
 * A key of which something was read or is about to be, and the number that whoever read it had
 * raised in its partition by then: what was read goes out under this number, and is refused where
 * something was reaped since.
 */
export interface FencedKey extends PlacedKey {
  readonly fence: number;
}
