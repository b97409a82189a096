import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import type { Turns } from "../src/index.ts";

/** Resolves when every continuation that is ready has run. */
export function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Drains within one turn of the event loop, as V8 does when asked by one of its natives. */
export function fastTurns(): Turns {
  setFlagsFromString("--allow-natives-syntax");
  const compiled = new Script("() => { %PerformMicrotaskCheckpoint(); }").runInThisContext();
  const run: Turns["run"] = (work) =>
    new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          work();
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  return { run, drain: compiled as () => void };
}
