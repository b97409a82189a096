import type { ClusterDocument, Member } from "./cluster-document.ts";

/** A member's directory was lost, and the member begins again with an empty one. */
export interface DirectoryChange {
  readonly id: Member["id"];
  /** The nonce of the directory that was lost. */
  readonly lost: string;
  /** The nonce of the one that takes its place. */
  readonly empty: string;
}

/** The next version of a document; the very same unless the member still has the lost directory. */
export function replaceDirectory(
  document: ClusterDocument,
  { id, lost, empty }: DirectoryChange,
): ClusterDocument {
  const replaced = document.members.find((member) => member.id === id && member.nonce === lost);
  if (replaced === undefined) return document;
  const { nonce, firstNonce = nonce } = replaced;
  const members = document.members.map((member) =>
    member === replaced ? { ...member, nonce: empty, firstNonce } : member,
  );
  return { ...document, epoch: document.epoch + 1, members };
}

/** The members that have another directory in the later one of two versions of a document. */
export function replacedDirectories(
  earlier: ClusterDocument,
  later: ClusterDocument,
): readonly Member[] {
  const nonces = new Map(earlier.members.map(({ id, nonce }) => [id, nonce]));
  return later.members.filter(({ id, nonce }) => nonces.has(id) && nonces.get(id) !== nonce);
}
