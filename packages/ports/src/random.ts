/** Randomness. Integers and bytes only: floating point invites bias and platform differences. */
export interface Random {
  /** A uniform integer in [0, bound); `bound` is from 1 to 2^48. */
  below(bound: number): number;
  /** `count` bytes that nobody can guess; ids and keys are made of them. */
  bytes(count: number): Uint8Array;
}
