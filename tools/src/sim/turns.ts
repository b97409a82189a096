import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import type { Turns } from "@coterie/sim";

/**
 * Runs a simulation's events within one turn of the event loop, with all microtasks of each event
 * run before the next one: V8 does that when asked by one of its natives. About three times as fast
 * as a turn of the event loop for each event.
 */
export function fastTurns(): Turns {
  setFlagsFromString("--allow-natives-syntax");
  const compiled = new Script("() => { %PerformMicrotaskCheckpoint(); }").runInThisContext();
  const drain = compiled as () => void;
  return {
    drain,
    run: (work) =>
      new Promise((resolve, reject) => {
        setImmediate(() => {
          try {
            work();
            resolve();
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      }),
  };
}
