import type { ClusterDocument } from "./cluster-document.ts";

/** What all members speak. */
export function levelOf({ level = 1 }: ClusterDocument): number {
  return level;
}

/** The next version of a document, that goes by `level`; the very same if it does already. */
export function raiseLevel(document: ClusterDocument, level: number): ClusterDocument {
  return level <= levelOf(document) ? document : { ...document, epoch: document.epoch + 1, level };
}
