import { type Ring, replacedDirectories } from "@coterie/core";
import type { NodeEvent } from "../node-event.ts";

/** What is worth saying when a node goes by another version of the document. */
export function changeEvents(
  { document, epoch, digest }: Ring,
  before: Ring,
): readonly NodeEvent[] {
  const replaced = replacedDirectories(before.document, document);
  const forced = document.forcings?.filter((forcing) => forcing.epoch > before.epoch) ?? [];
  const hasPaused = document.paused !== before.document.paused;
  return [
    { kind: "document-changed", epoch, digest },
    ...replaced.map(({ id }) => ({ kind: "directory-replaced", id, epoch }) as const),
    ...forced.map((forcing) => ({ kind: "voters-forced", forcing }) as const),
    ...(hasPaused ? [{ kind: "moves-paused", isPaused: document.paused === true } as const] : []),
  ];
}
