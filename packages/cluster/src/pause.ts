import type { Clock } from "@coterie/ports";
import { oneShot } from "./one-shot.ts";

/** Resolves after so many milliseconds. */
export function pause(clock: Clock, ms: number): Promise<void> {
  const { promise, settle } = oneShot<void>();
  clock.at(clock.monotonicMs() + ms, settle);
  return promise;
}

/** Resolves in the next turn. */
export function nextTurn(clock: Clock): Promise<void> {
  const { promise, settle } = oneShot<void>();
  clock.afterTurn(settle);
  return promise;
}
