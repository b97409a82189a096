import { setFlagsFromString } from "node:v8";

/**
 * Has V8 collect as suits a node, which lets go of nearly all that it makes. V8 looks at both flags
 * whenever it collects or compiles, so they may be set as the process runs.
 *
 * - Each young collection is done by the main thread alone: there is little to copy, and threads
 *   that are woken for it and wait for each other take more of the processor than the work.
 * - Nothing is made in the old generation because most of its kind has lived long. With hundreds of
 *   requests under way nearly all that a request holds lives through a collection; once V8 made it
 *   in the old generation, it would be there when the request is over, keep alive what it refers
 *   to, and have the whole heap marked again and again.
 */
export function setCollectorFlags(): void {
  setFlagsFromString("--no-parallel-scavenge");
  setFlagsFromString("--no-allocation-site-pretenuring");
}
