import type { ClusterDocument, Member, Move } from "./cluster-document.ts";
import { gainers } from "./settle-moves.ts";

/** A member's directory was lost, and the member begins again with an empty one. */
export interface DirectoryChange {
  readonly id: Member["id"];
  /** The nonce of the directory that was lost. */
  readonly lost: string;
  /** The nonce of the one that takes its place. */
  readonly empty: string;
}

/**
 * The next version of a document; the very same unless the member still has the lost directory.
 * What it had got by a move that is not over is lost too: it is awaited again.
 */
export function replaceDirectory(
  document: ClusterDocument,
  { id, lost, empty }: DirectoryChange,
): ClusterDocument {
  const replaced = document.members.find((member) => member.id === id && member.nonce === lost);
  if (replaced === undefined) return document;
  const { nonce, firstNonce = nonce } = replaced;
  // An empty directory has voted on nothing: the vote that the lost one forfeited is its own.
  const { vote: _vote, ...rest } = replaced;
  const members = document.members.map((member) =>
    member === replaced ? { ...rest, nonce: empty, firstNonce } : member,
  );
  const next = { ...document, epoch: document.epoch + 1, members };
  const { moves } = document;
  if (moves === undefined) return next;
  const index = document.members.indexOf(replaced);
  return { ...next, moves: moves.map((move) => awaitingAgain(document, move, index)) };
}

function awaitingAgain({ owners }: ClusterDocument, move: Move, member: number): Move {
  const { partition, to, awaited } = move;
  const isGainer = gainers(owners[partition] as readonly number[], to).includes(member);
  if (!isGainer || awaited.includes(member)) return move;
  return { partition, to, awaited: [...awaited, member].toSorted((left, right) => left - right) };
}

/** The members that have another directory in the later one of two versions of a document. */
export function replacedDirectories(
  earlier: ClusterDocument,
  later: ClusterDocument,
): readonly Member[] {
  const nonces = new Map(earlier.members.map(({ id, nonce }) => [id, nonce]));
  return later.members.filter(({ id, nonce }) => nonces.has(id) && nonces.get(id) !== nonce);
}
