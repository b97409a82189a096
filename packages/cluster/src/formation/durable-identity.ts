import {
  type AcceptorState,
  type ClusterDocument,
  type NodeId,
  decodeDocument,
  decodeRegister,
  encodeDocument,
  encodeRegister,
  hex,
  latin1,
  utf8,
} from "@coterie/core";
import type { Disk, Random } from "@coterie/ports";
import { loadBlob, saveBlob } from "@coterie/storage";
import { oneShot } from "../one-shot.ts";

const identityName = "identity";
const documentName = "cluster-document";
const registerName = "cluster-register";

export interface DirectoryProblem {
  readonly ok: false;
  readonly code: "io" | "wrong-directory" | "disk-full";
  readonly message: string;
}

export type LoadedIdentity = { readonly ok: true; readonly nonce: string } | DirectoryProblem;

export type LoadedDocument =
  | { readonly ok: true; readonly document: ClusterDocument | undefined }
  | DirectoryProblem;

/**
 * The directory's identity: whose it is, and a nonce drawn when it was empty. Durable before the
 * nonce is ever announced, so that a node that dies while the cluster forms comes back as itself.
 */
export async function loadIdentity(
  disk: Disk,
  random: Random,
  id: NodeId,
): Promise<LoadedIdentity> {
  const loaded = await load(disk, identityName);
  if (!loaded.ok) return loaded;
  if (loaded.bytes === undefined) {
    const nonce = hex(random.bytes(16));
    const saved = await save(disk, identityName, utf8(`${id} ${nonce}`));
    return saved.ok ? { ok: true, nonce } : saved;
  }
  const [owner, nonce] = latin1(loaded.bytes).split(" ");
  if (owner === id && nonce !== undefined) return { ok: true, nonce };
  const message = `the directory belongs to node ${owner}, not to ${id}`;
  return { ok: false, code: "wrong-directory", message };
}

/** The cluster document stored here; `undefined` before the cluster has formed. */
export async function loadDocument(disk: Disk): Promise<LoadedDocument> {
  const loaded = await load(disk, documentName);
  if (!loaded.ok) return loaded;
  if (loaded.bytes === undefined) return { ok: true, document: undefined };
  const decoded = decodeDocument(loaded.bytes);
  if (decoded.ok) return decoded;
  const message = `the cluster document in this directory is not readable: ${decoded.reason}`;
  return { ok: false, code: "wrong-directory", message };
}

/** Stores the document durably: from then on the node starts alone. */
export function saveDocument(
  disk: Disk,
  document: ClusterDocument,
): Promise<{ readonly ok: true } | DirectoryProblem> {
  return save(disk, documentName, encodeDocument(document));
}

/** What this node has promised and accepted; `undefined` before it was first asked to. */
export type LoadedRegister =
  | { readonly ok: true; readonly state: AcceptorState<ClusterDocument> | undefined }
  | DirectoryProblem;

export async function loadRegister(disk: Disk): Promise<LoadedRegister> {
  const loaded = await load(disk, registerName);
  if (!loaded.ok) return loaded;
  if (loaded.bytes === undefined) return { ok: true, state: undefined };
  const decoded = decodeRegister(loaded.bytes);
  if (decoded.ok) return decoded;
  const message = `what this node voted for is not readable: ${decoded.reason}`;
  return { ok: false, code: "wrong-directory", message };
}

/** Stores what this node has promised and accepted durably: only then may it say so. */
export function saveRegister(
  disk: Disk,
  state: AcceptorState<ClusterDocument>,
): Promise<{ readonly ok: true } | DirectoryProblem> {
  return save(disk, registerName, encodeRegister(state));
}

type LoadedBytes = { readonly ok: true; readonly bytes: Uint8Array | undefined } | DirectoryProblem;

function load(disk: Disk, name: string): Promise<LoadedBytes> {
  const { promise, settle } = oneShot<LoadedBytes>();
  loadBlob(disk, name, (outcome) => {
    if (outcome.ok) settle({ ok: true, bytes: outcome.value });
    else settle({ ok: false, code: "io", message: `${name}: ${outcome.message}` });
  });
  return promise;
}

function save(
  disk: Disk,
  name: string,
  bytes: Uint8Array,
): Promise<{ readonly ok: true } | DirectoryProblem> {
  const { promise, settle } = oneShot<{ readonly ok: true } | DirectoryProblem>();
  saveBlob(disk, name, bytes, (outcome) => {
    if (outcome.ok) return settle({ ok: true });
    const code = outcome.error === "full" ? "disk-full" : "io";
    settle({ ok: false, code, message: `${name}: ${outcome.message}` });
  });
  return promise;
}
