import { setFlagsFromString } from "node:v8";

/**
 * Has each young collection done by the main thread alone. A node lets go of nearly all that it
 * makes, so there is little to copy: four threads that are woken for it, and wait for each other,
 * take more of the processor than the work. V8 looks at this flag at every such collection.
 */
export function scavengeAlone(): void {
  setFlagsFromString("--no-parallel-scavenge");
}
