import { blake2s } from "@noble/hashes/blake2.js";
import { hex, utf8 } from "../bytes/text.ts";
import type { NodeId } from "../ids.ts";
import type { ClusterDocument, ClusterSettings, Member } from "./cluster-document.ts";
import { canonicalSettings } from "./document-codec.ts";
import { documentProblem } from "./document-problem.ts";
import { placeOwners } from "./placement.ts";

export type FormedDocument =
  | { readonly ok: true; readonly document: ClusterDocument }
  | { readonly ok: false; readonly code: "bad-settings"; readonly message: string };

export type ChangedDocument =
  | FormedDocument
  | {
      readonly ok: false;
      readonly code: "unknown-node" | "last-node" | "known-node";
      readonly message: string;
    };

/** The first version of a cluster's document: the same whatever order its members come in. */
export function formDocument(
  settings: ClusterSettings,
  members: readonly Member[],
): FormedDocument {
  const problem = documentProblem(settings, members);
  if (problem !== undefined) return { ok: false, code: "bad-settings", message: problem };
  const sorted = sortedById(members);
  const { partitions, nMax } = settings;
  const nonces = sorted.map(({ nonce }) => nonce).join("");
  return {
    ok: true,
    document: {
      version: 1,
      clusterId: hex(blake2s(utf8(`coterie cluster ${nonces}`), { dkLen: 16 })),
      epoch: 1,
      settings: canonicalSettings(settings),
      members: sorted,
      owners: placeOwners({ members: sorted, partitions, nMax }),
    },
  };
}

/** The next version of a document, with one more member and about its share moved to it. */
export function addMember(document: ClusterDocument, member: Member): ChangedDocument {
  if (document.members.some(({ id }) => id === member.id)) {
    return { ok: false, code: "known-node", message: `${member.id} is a member already` };
  }
  return withMembers(document, [...document.members, member]);
}

/** The next version of a document, with one member less and only its partitions moved. */
export function removeMember(document: ClusterDocument, id: NodeId): ChangedDocument {
  const members = document.members.filter((member) => member.id !== id);
  if (members.length === document.members.length) {
    return { ok: false, code: "unknown-node", message: `${id} is not a member` };
  }
  if (members.length === 0) {
    return { ok: false, code: "last-node", message: `${id} is the last member` };
  }
  return withMembers(document, members);
}

function withMembers(document: ClusterDocument, members: readonly Member[]): FormedDocument {
  const { settings, owners } = document;
  const problem = documentProblem(settings, members);
  if (problem !== undefined) return { ok: false, code: "bad-settings", message: problem };
  const sorted = sortedById(members);
  const { partitions, nMax } = settings;
  const previous = owners.map((list) =>
    list.map((index) => (document.members[index] as Member).id),
  );
  return {
    ok: true,
    document: {
      ...document,
      epoch: document.epoch + 1,
      members: sorted,
      owners: placeOwners({ members: sorted, partitions, nMax, previous }),
    },
  };
}

function sortedById(members: readonly Member[]): readonly Member[] {
  return members.toSorted((left, right) => (left.id < right.id ? -1 : 1));
}
