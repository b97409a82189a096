import { blake2s } from "@noble/hashes/blake2.js";
import { hex, utf8 } from "../bytes/text.ts";
import type { ClusterDocument, ClusterSettings, Member } from "./cluster-document.ts";
import { canonicalSettings } from "./document-codec.ts";
import { documentProblem } from "./document-problem.ts";
import { placeOwners } from "./placement.ts";

export type FormedDocument =
  | { readonly ok: true; readonly document: ClusterDocument }
  | { readonly ok: false; readonly code: "bad-settings"; readonly message: string };

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

function sortedById(members: readonly Member[]): readonly Member[] {
  return members.toSorted((left, right) => (left.id < right.id ? -1 : 1));
}
