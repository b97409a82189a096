import type { Token } from "@coterie/core";

/**
 * A small integer for a token, for which a `Map` or a `Set` needs no object. Few tokens share one.
 */
export function laneOf({ high, low }: Token): number {
  return (high ^ low) & 0x3fff_ffff;
}
