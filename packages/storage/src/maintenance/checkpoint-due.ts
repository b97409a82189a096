const bytesMin = 16 * 1024 * 1024;
const indexShare = 1 / 8;

/**
 * Log appended since the last checkpoint at which the next one is written: 16 MiB, and an eighth of
 * the index, all of which a checkpoint writes. With ten million keys that is 50 MB of log, which a
 * start replays in seconds, and seven bytes of checkpoint for each of the log where 16 MiB would
 * make it twenty.
 */
export function checkpointDueBytes(indexBytes: number): number {
  return Math.max(bytesMin, indexBytes * indexShare);
}
