import { type ClusterDocument, Formation, documentDigest } from "@coterie/core";
import type { RecordStore } from "@coterie/storage";
import type { NodeConfig, NodePorts, StartOutcome } from "../node-config.ts";
import { problemOfOffer, problemWith } from "./document-fit.ts";
import { saveDocument } from "./durable-identity.ts";
import { form } from "./form.ts";

export interface JoinParts {
  readonly ports: NodePorts;
  readonly config: NodeConfig;
  /** Of this node's directory. */
  readonly nonce: string;
  readonly store: RecordStore;
  readonly isStopped: () => boolean;
  /** Told at once: it answers announcements from then on. */
  readonly onFormation: (formation: Formation) => void;
}

export type JoinOutcome =
  | {
      readonly ok: true;
      readonly document: ClusterDocument;
      /** The directory takes the place of one that was lost. */
      readonly isRejoin: boolean;
    }
  | Exclude<StartOutcome, { readonly ok: true }>;

/**
 * Makes a member of a directory without a cluster document: forms the cluster with the others, or
 * takes its place in the one that they have. The document is stored when this settles; and before
 * it is, that the store may lack what a lost directory held, so that no crash makes it look whole.
 */
export async function joinCluster(parts: JoinParts): Promise<JoinOutcome> {
  const { ports, config, nonce, store } = parts;
  const { bootstrap, settings, onEvent } = config;
  const self = { ...config.member, nonce };
  const formation = new Formation({ self, settings, bootstrap, mayRejoin: config.mayRejoin });
  parts.onFormation(formation);
  let isNewcomer = false;
  const formed = await form({
    ...ports,
    formation,
    self,
    others: bootstrap.filter((address) => address !== self.address),
    isStopped: parts.isStopped,
    problemWith: (document) => {
      const known = document.members.find(({ id }) => id === self.id);
      if (known === undefined) return problemOfOffer(document, config);
      return problemWith(document, known.nonce, config);
    },
    onRejoining: (reason) => onEvent({ kind: "rejoining", reason }),
    onOffering: (clusterId, reason) => {
      isNewcomer = true;
      onEvent({ kind: "offering", clusterId, reason });
    },
  });
  if (!formed.ok) return { ok: false, code: "not-formed", message: formed.reason };
  const { document } = formed;
  const problem = problemWith(document, nonce, config);
  if (problem !== undefined) return { ok: false, code: "not-formed", message: problem };
  const { clusterId, epoch, members } = document;
  const isRejoin = members.some(({ id, firstNonce }) => id === self.id && firstNonce !== undefined);
  if (isRejoin && !(await store.markLost())) {
    return { ok: false, code: "disk-full", message: "the log cannot be written" };
  }
  const saved = await saveDocument(ports.disk, document);
  if (!saved.ok) return saved;
  if (isRejoin) onEvent({ kind: "rejoined", clusterId, epoch });
  else if (isNewcomer) onEvent({ kind: "joined", clusterId, epoch });
  else onEvent({ kind: "formed", clusterId, digest: documentDigest(document) });
  return { ok: true, document, isRejoin };
}
