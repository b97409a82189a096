import type { ClusterDocument } from "@coterie/core";
import type { NodeConfig, NodePorts } from "../node-config.ts";
import { problemWith } from "./document-fit.ts";
import { type DirectoryProblem, loadDocument, loadIdentity } from "./durable-identity.ts";

/** What a directory says of itself before its store is opened. */
export type ReadDirectory =
  | {
      readonly ok: true;
      readonly nonce: string;
      /** `undefined` in one that has not been a member's yet. */
      readonly document: ClusterDocument | undefined;
    }
  | DirectoryProblem;

/** Reads whose the directory is and what it is a part of, or why this node cannot have it. */
export async function readDirectory(
  { disk, random }: Pick<NodePorts, "disk" | "random">,
  config: NodeConfig,
): Promise<ReadDirectory> {
  const identity = await loadIdentity(disk, random, config.member.id);
  if (!identity.ok) return identity;
  const { nonce } = identity;
  const known = await loadDocument(disk);
  if (!known.ok) return known;
  const { document } = known;
  const problem = document === undefined ? undefined : problemWith(document, nonce, config);
  if (problem !== undefined) return { ok: false, code: "wrong-directory", message: problem };
  return { ok: true, nonce, document };
}
