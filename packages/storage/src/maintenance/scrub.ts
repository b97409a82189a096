import type { LogStore } from "../log-store.ts";
import { type LiveParts, collectLive, readSlice, slicesOf } from "./read-live.ts";

export interface ScrubParts extends LiveParts {
  readonly store: LogStore;
  /** Called after each slice: waits as long as the pace demands; false ends the scrub. */
  readonly pace: (bytesRead: number) => Promise<boolean>;
}

/**
 * Reads every live record of every sealed segment and checks it, so that a key hidden by damage is
 * found within one pass and not when somebody asks for it. A record that is replaced meanwhile is
 * not damage.
 */
export async function scrub(parts: ScrubParts): Promise<void> {
  const { store, index, pace } = parts;
  const segments = [...index.uses().keys()].filter((segment) => store.isSealed(segment));
  for (const segment of segments) {
    const rows = await collectLive(parts, new Set([segment]));
    for (const slice of slicesOf(rows, segment)) {
      const bytes = await readSlice(parts, slice, ({ partition, token, location }, entry) => {
        if (entry !== undefined || !index.has(partition, token, location)) return;
        const { offset } = location;
        store.noteDamage({ partition, token, segment, offset }, "found by the scrub");
      });
      if (!(await pace(bytes))) return;
    }
  }
}
