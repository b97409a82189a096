import type { WriteId } from "@coterie/core";

/** Chance as the client sees it; a fixed sequence in tests. */
export interface Random {
  /** From 0 up to, but not including, 1: for jitter. */
  fraction(): number;
  /** Never drawn twice, by anybody. */
  writeId(): WriteId;
}
