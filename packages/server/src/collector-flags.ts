import { type PerformanceEntry, PerformanceObserver, constants } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/**
 * So much may be made in the old generation between two collections of it, in bytes. A collection
 * takes 20 to 40 ms of the main thread in parts, and as much of others, whatever there is to free.
 */
const spareBytes = 48 * 1024 * 1024;

/** Of a heap so large V8 itself lets a larger share be made: then it is left to V8. */
const percentMin = 10;

/**
 * Has V8 collect as suits a node, which lets go of nearly all that it makes. V8 looks at these
 * flags whenever it collects or compiles, so they may be set as the process runs.
 *
 * - Each young collection is done by the main thread alone: there is little to copy, and threads
 *   that are woken for it and wait for each other take more of the processor than the work.
 * - Nothing is made in the old generation because most of its kind has lived long. With hundreds of
 *   requests under way nearly all that a request holds lives through a collection; once V8 made it
 *   in the old generation, it would be there when the request is over, keep alive what it refers
 *   to, and have the whole heap marked again and again.
 * - The old generation may grow by {@link spareBytes} before it is collected. V8 would let it grow
 *   by a third of the 30 MB that a node has there, and collect it every few seconds.
 */
export function setCollectorFlags(): void {
  setFlagsFromString("--no-parallel-scavenge");
  setFlagsFromString("--no-allocation-site-pretenuring");
  setGrowth(oldBytes());
  const observer = new PerformanceObserver((list) => {
    if (list.getEntries().some(isMajor)) setGrowth(oldBytes());
  });
  observer.observe({ entryTypes: ["gc"] });
}

/** By how much of what is in use, in percent, the old generation may grow; 0: as V8 likes. */
export function growthPercent(usedBytes: number): number {
  const percent = Math.round((100 * spareBytes) / Math.max(1, usedBytes));
  return percent < percentMin ? 0 : percent;
}

function setGrowth(usedBytes: number): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent(usedBytes)}`);
}

/** Bytes in use outside of the young generation, as a collection has just left it. */
function oldBytes(): number {
  let bytes = 0;
  for (const { space_name: name, space_used_size: used } of getHeapSpaceStatistics()) {
    if (!name.startsWith("new_")) bytes += used;
  }
  return bytes;
}

function isMajor(entry: PerformanceEntry): boolean {
  const { detail } = entry as PerformanceEntry & { readonly detail: { readonly kind: number } };
  return detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
