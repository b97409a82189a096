import { blake2s } from "@noble/hashes/blake2.js";
import { equalBytes } from "../bytes/compare.ts";
import { hex, utf8, writeHex } from "../bytes/text.ts";
import { decodeUtf8 } from "../bytes/utf8-decode.ts";
import type { ClusterDocument, ClusterSettings, Member } from "./cluster-document.ts";
import { checkBucket } from "./bucket.ts";
import { parseNodeId } from "../ids.ts";
import { placeOwners } from "./placement.ts";

/** Q at most: an index of 16 384 partitions is what one node can hold with little per partition. */
export const partitionsMax = 16_384;

export type FormedDocument =
  | { readonly ok: true; readonly document: ClusterDocument }
  | { readonly ok: false; readonly code: "bad-settings"; readonly message: string };

export type DecodedDocument =
  | { readonly ok: true; readonly document: ClusterDocument }
  | { readonly ok: false; readonly reason: string };

/** The first version of a cluster's document: the same whatever order its members come in. */
export function formDocument(
  settings: ClusterSettings,
  members: readonly Member[],
): FormedDocument {
  const problem = problemWith(settings, members);
  if (problem !== undefined) return { ok: false, code: "bad-settings", message: problem };
  const sorted = members.toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const { partitions, nMax } = settings;
  const nonces = sorted.map(({ nonce }) => nonce).join("");
  return {
    ok: true,
    document: {
      version: 1,
      clusterId: hex(blake2s(utf8(`coterie cluster ${nonces}`), { dkLen: 16 })),
      epoch: 1,
      settings,
      members: sorted,
      owners: placeOwners({ members: sorted, partitions, nMax }),
    },
  };
}

/** Canonical bytes: JSON with the fields in the order of their declaration. */
export function encodeDocument(document: ClusterDocument): Uint8Array {
  return utf8(canonicalJson(document));
}

/** Reads a document, and accepts only bytes that {@link encodeDocument} would have written. */
export function decodeDocument(bytes: Uint8Array): DecodedDocument {
  const text = decodeUtf8(bytes);
  if (text === undefined) return { ok: false, reason: "it is not UTF-8" };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { ok: false, reason: "it is not JSON" };
  }
  const document = parsed as ClusterDocument;
  const problem = shapeProblem(document);
  if (problem !== undefined) return { ok: false, reason: problem };
  if (!equalBytes(encodeDocument(document), bytes)) return { ok: false, reason: "not canonical" };
  return { ok: true, document };
}

/** 32 hex digits that name a document. */
export function documentDigest(document: ClusterDocument): string {
  return hex(blake2s(encodeDocument(document), { dkLen: 16 }));
}

/** The first 32 bits of a document's digest, which every request between nodes carries. */
export function documentTag(digest: string): number {
  return Number.parseInt(digest.slice(0, 8), 16);
}

/** 32 hex digits that name the settings all members must share. */
export function settingsDigest(settings: ClusterSettings): string {
  return hex(blake2s(utf8(canonicalSettings(settings)), { dkLen: 16 }));
}

/** The key that binds contexts to keys, where none was configured: from the members' nonces. */
export function contextKeyOf(document: ClusterDocument): Uint8Array {
  const nonces = document.members.map(({ nonce }) => nonce).join("");
  const secret = new Uint8Array(nonces.length / 2);
  writeHex(nonces, secret, 0);
  return blake2s(secret, { key: utf8("coterie context key"), dkLen: 32 });
}

function problemWith(settings: ClusterSettings, members: readonly Member[]): string | undefined {
  const { partitions, nMax, buckets } = settings;
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > partitionsMax) {
    return `partitions is an integer from 1 to ${partitionsMax}, not ${partitions}`;
  }
  if (!Number.isInteger(nMax) || nMax < 1) return `nMax is a positive integer, not ${nMax}`;
  if (members.length === 0) return "a cluster has at least one node";
  if (new Set(members.map(({ id }) => id)).size < members.length) return "two nodes have one id";
  if (new Set(members.map(({ address }) => address)).size < members.length) {
    return "two nodes have one address";
  }
  if (members.some(({ weight }) => !Number.isInteger(weight) || weight < 1)) {
    return "a weight is a positive integer";
  }
  for (const bucket of buckets) {
    const checked = checkBucket(bucket, nMax);
    if (!checked.ok) return checked.message;
    if (bucket.n > members.length) {
      return (
        `bucket ${bucket.name} wants ${bucket.n} copies on distinct nodes, and there ` +
        `${members.length === 1 ? "is 1 node" : `are ${members.length} nodes`}: lower its n, ` +
        "or start more nodes"
      );
    }
  }
  if (new Set(buckets.map(({ name }) => name)).size < buckets.length) {
    return "two buckets have one name";
  }
  return undefined;
}

/** Checks what came from a disk or a peer before any of it is used. */
function shapeProblem(document: ClusterDocument): string | undefined {
  if (typeof document !== "object" || document === null) return "it is not an object";
  const { version, clusterId, epoch, settings, members, owners } = document;
  if (version !== 1) return `version ${String(version)} is unknown`;
  if (typeof clusterId !== "string" || !/^[0-9a-f]{32}$/u.test(clusterId)) return "bad cluster id";
  if (!Number.isInteger(epoch) || epoch < 1) return "bad epoch";
  if (typeof settings !== "object" || settings === null) return "no settings";
  if (!Array.isArray(settings.buckets) || !Array.isArray(members)) return "no buckets or members";
  if (!members.every(isMember)) return "a malformed member";
  const problem = problemWith(settings, members);
  if (problem !== undefined) return problem;
  const areOwners =
    Array.isArray(owners) &&
    owners.length === settings.partitions &&
    owners.every((list) => isOwnerList(list, members.length));
  return areOwners ? undefined : "malformed owners";
}

function isMember(member: Member): boolean {
  const { id, address, http, host, zone, nonce } = member;
  return (
    [address, http, host, zone].every((text) => typeof text === "string") &&
    typeof id === "string" &&
    parseNodeId(id) !== undefined &&
    typeof nonce === "string" &&
    /^[0-9a-f]{32}$/u.test(nonce)
  );
}

function isOwnerList(list: readonly number[], members: number): boolean {
  return (
    Array.isArray(list) &&
    list.length >= 1 &&
    new Set(list).size === list.length &&
    list.every((owner) => Number.isInteger(owner) && owner >= 0 && owner < members)
  );
}

function canonicalJson(document: ClusterDocument): string {
  const { version, clusterId, epoch, settings, members, owners } = document;
  const text = JSON.stringify({
    version,
    clusterId,
    epoch,
    settings: "",
    members: members.map(canonicalMember),
    owners,
  });
  return text.replace('"settings":""', () => `"settings":${canonicalSettings(settings)}`);
}

function canonicalMember(member: Member): Member {
  const { id, address, http, host, zone, weight, nonce } = member;
  return { id, address, http, host, zone, weight, nonce };
}

function canonicalSettings({ partitions, nMax, buckets }: ClusterSettings): string {
  const sorted = buckets
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map(({ name, policy, n, r, w, pr, pw, allowStale }) => {
      return { name, policy, n, r, w, pr, pw, allowStale };
    });
  return JSON.stringify({ partitions, nMax, buckets: sorted });
}
