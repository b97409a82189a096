import type { ClusterDocument } from "./cluster-document.ts";

/**
 * The next version of a document, in which nothing that moves is copied or dropped any more, or
 * again; the very same if it is so already.
 */
export function pauseMoves(document: ClusterDocument, isPaused: boolean): ClusterDocument {
  const { paused, ...rest } = document;
  if ((paused === true) === isPaused) return document;
  const next = { ...rest, epoch: document.epoch + 1 };
  return isPaused ? { ...next, paused: true } : next;
}
