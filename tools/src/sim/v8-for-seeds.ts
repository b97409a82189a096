/** What is made for one event is garbage after it: a large nursery copies little. */
export const youngMb = 192;
/**
 * A full collection makes V8 forget the optimized code of closures, to compile it again: none
 * before there is so much that was old and died.
 */
const oldMb = 1000;
/**
 * A seed runs much code a little: what V8 inlines into what makes it compile the same functions
 * many times over, and no code runs long enough to earn that. Its own limit is 920.
 */
const inlinedBytecodesMax = 100;

/** With these V8 runs seeds about one and a half times as fast. */
export const flagsForSeeds: readonly string[] = [
  `--initial-old-space-size=${oldMb}`,
  `--max-inlined-bytecode-size-cumulative=${inlinedBytecodesMax}`,
];
