import type { Checker } from "../history.ts";

/** A write with the context of another key is refused: it would cover what nobody has read. */
export const foreignContext: Checker = (history) =>
  history.writes
    .filter(({ isForeign, outcome }) => isForeign && outcome === "ok")
    .map(({ key, kind, number }) => ({
      checker: "foreign-context",
      key,
      detail: `${kind} ${number} carried the context of another key, and was acknowledged`,
    }));
