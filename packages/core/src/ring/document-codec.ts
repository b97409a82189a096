import { blake2s } from "@noble/hashes/blake2.js";
import { equalBytes } from "../bytes/compare.ts";
import { hex, utf8, writeHex } from "../bytes/text.ts";
import { decodeUtf8 } from "../bytes/utf8-decode.ts";
import type {
  BucketSettings,
  ClusterDocument,
  ClusterSettings,
  Forcing,
  Leftover,
  Member,
  Move,
  RequestMode,
} from "./cluster-document.ts";
import {
  documentProblem,
  forcingsProblem,
  movesProblem,
  ownersProblem,
} from "./document-problem.ts";
import { hasDocumentShape } from "./document-shape.ts";
import type { KeyHash } from "./token.ts";

export type DecodedDocument =
  | { readonly ok: true; readonly document: ClusterDocument }
  | { readonly ok: false; readonly reason: string };

type WrittenDocument = Omit<ClusterDocument, "members" | "settings"> & {
  readonly settings: WrittenSettings;
  readonly members: readonly WrittenMember[];
};

/** Of documents, which never change: each is named, compared and sent many times. */
const encodings = new WeakMap<ClusterDocument, Uint8Array>();

/** Canonical bytes, which nobody may change: JSON with the fields in the order of declaration. */
export function encodeDocument(document: ClusterDocument): Uint8Array {
  let bytes = encodings.get(document);
  if (bytes === undefined) {
    bytes = utf8(JSON.stringify(writtenDocument(document)));
    encodings.set(document, bytes);
  }
  return bytes;
}

function writtenDocument(document: ClusterDocument): WrittenDocument {
  const { version, clusterId, epoch, settings, members, owners } = document;
  const { moves = [], entered, leftovers = [], contextKey, level = 1 } = document;
  const { paused, forcings = [] } = document;
  return {
    version,
    clusterId,
    epoch,
    settings: writtenSettings(settings),
    members: members.map(canonicalMember),
    owners,
    ...(moves.length > 0 && { moves: moves.map(canonicalMove) }),
    ...(entered !== undefined && { entered }),
    ...(leftovers.length > 0 && { leftovers: leftovers.map(canonicalLeftover) }),
    ...(contextKey !== undefined && { contextKey }),
    ...(level > 1 && { level }),
    ...(paused === true && { paused }),
    ...(forcings.length > 0 && { forcings: forcings.map(canonicalForcing) }),
  };
}

/** Reads a document, and accepts only bytes that {@link encodeDocument} would have written. */
export function decodeDocument(bytes: Uint8Array): DecodedDocument {
  const text = decodeUtf8(bytes);
  if (text === undefined) return { ok: false, reason: "it is not UTF-8" };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { ok: false, reason: "it is not JSON" };
  }
  if (!hasDocumentShape(document)) return { ok: false, reason: "it is not a cluster document" };
  const whole = {
    ...document,
    settings: wholeSettings(document.settings),
    members: document.members.map(wholeMember),
  };
  const problem =
    documentProblem(whole.settings, whole.members) ??
    ownersProblem(whole) ??
    movesProblem(whole) ??
    forcingsProblem(whole);
  if (problem !== undefined) return { ok: false, reason: problem };
  if (!equalBytes(encodeDocument(whole), bytes)) return { ok: false, reason: "not canonical" };
  return { ok: true, document: whole };
}

/** 32 hex digits that name a document. */
export function documentDigest(document: ClusterDocument): string {
  return hex(blake2s(encodeDocument(document), { dkLen: 16 }));
}

/**
 * 31 bits that name the cluster and where its data lives, which every request between nodes
 * carries: of the digest of the document without what may differ while a change spreads, its epoch,
 * its level and buckets, its members' directories, departures and votes, whether moves are paused,
 * and how far they are. Nodes of one tag agree on whom a request of any key goes to.
 *
 * One bit more, and V8 would keep every second tag in another shape of object: all that was
 * compiled for the one is thrown away when the other comes, with a join, at all nodes at once.
 */
export function placementTag(document: ClusterDocument): number {
  const { moves = [], paused: _paused, forcings: _forcings, ...rest } = document;
  const settings = { ...document.settings, buckets: [] };
  const members = document.members.map((member): Member => {
    const { id, address, http, grpc, resp, host, zone, weight, nonce, firstNonce = nonce } = member;
    return { id, address, http, grpc, resp, host, zone, weight, nonce: firstNonce };
  });
  const entered = moves.map((move) => ({ ...move, awaited: [] }));
  const placement = {
    ...rest,
    epoch: 1,
    settings,
    members,
    moves: entered,
    leftovers: [],
    level: 1,
  };
  return Number.parseInt(documentDigest(placement).slice(0, 8), 16) >>> 1;
}

/** 32 hex digits that name the settings all members must share. */
export function settingsDigest(settings: ClusterSettings): string {
  return hex(blake2s(utf8(JSON.stringify(writtenSettings(settings))), { dkLen: 16 }));
}

/**
 * The key that binds contexts to keys, where none was configured: from the nonces that the members
 * came with, so that it is no worse kept than the document itself, and stays as it is when a member
 * gets another directory. A document of other members than those that formed it has it as a field.
 */
export function contextKeyOf(document: ClusterDocument): Uint8Array {
  if (document.contextKey !== undefined) {
    const kept = new Uint8Array(document.contextKey.length / 2);
    writeHex(document.contextKey, kept, 0);
    return kept;
  }
  const nonces = document.members.map(({ nonce, firstNonce }) => firstNonce ?? nonce).join("");
  const secret = new Uint8Array(nonces.length / 2);
  writeHex(nonces, secret, 0);
  return blake2s(secret, { key: utf8("coterie context key"), dkLen: 32 });
}

/** Settings with their fields in order and their buckets sorted by name. */
export function canonicalSettings(settings: ClusterSettings): ClusterSettings {
  const { partitions, hash, nMax, buckets } = settings;
  const sorted = buckets
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map(({ name, policy, n, r, w, pr, pw, allowStale, mode, ttlMs }) => {
      const bucket = { name, policy, n, r, w, pr, pw, allowStale, mode };
      return ttlMs === undefined ? bucket : { ...bucket, ttlMs };
    });
  return { partitions, hash, nMax, buckets: sorted };
}

/** Documents from before there was a choice of hash do not have the field, and keep their bytes. */
type WrittenSettings = Omit<ClusterSettings, "hash" | "buckets"> & {
  readonly hash?: KeyHash;
  readonly buckets: readonly WrittenBucket[];
};

/** The same holds of the mode: a bucket that does not say was made when there was but strict. */
type WrittenBucket = Omit<BucketSettings, "mode"> & { readonly mode?: RequestMode };

function writtenSettings(settings: ClusterSettings): WrittenSettings {
  const { hash, partitions, nMax, buckets } = canonicalSettings(settings);
  const rest = { nMax, buckets: buckets.map(writtenBucket) };
  return hash === "md5" ? { partitions, ...rest } : { partitions, hash, ...rest };
}

function writtenBucket({ mode, ttlMs, ...rest }: BucketSettings): WrittenBucket {
  return { ...rest, ...(mode !== "strict" && { mode }), ...(ttlMs !== undefined && { ttlMs }) };
}

function wholeSettings(settings: WrittenSettings): ClusterSettings {
  const buckets = settings.buckets.map(({ ttlMs, ...bucket }) => ({
    ...bucket,
    mode: bucket.mode ?? "strict",
    ...(ttlMs !== undefined && { ttlMs }),
  }));
  return { ...settings, hash: settings.hash ?? "md5", buckets };
}

/** Documents from before there was such a door do not have its field, and keep their bytes. */
type WrittenMember = Omit<Member, "grpc" | "resp"> & {
  readonly grpc?: string;
  readonly resp?: string;
};

function canonicalMember(member: Member): WrittenMember {
  const { id, address, http, grpc, resp, host, zone, weight, nonce, firstNonce } = member;
  const { departure, vote } = member;
  const doors = { ...(grpc !== "" && { grpc }), ...(resp !== "" && { resp }) };
  const replaced = firstNonce !== undefined && firstNonce !== nonce && { firstNonce };
  const going = departure !== undefined && { departure };
  const voting = vote !== undefined && { vote };
  const labels = { host, zone, weight, nonce };
  return { id, address, http, ...doors, ...labels, ...replaced, ...going, ...voting };
}

function canonicalMove({ partition, to, awaited }: Move): Move {
  return { partition, to, awaited };
}

function canonicalLeftover({ partition, member, place }: Leftover): Leftover {
  return { partition, member, place };
}

function canonicalForcing(forcing: Forcing): Forcing {
  const { epoch, base, digest, voters, lost, by, atMs } = forcing;
  return { epoch, base, digest, voters, lost, by, atMs };
}

function wholeMember(member: WrittenMember): Member {
  return { ...member, grpc: member.grpc ?? "", resp: member.resp ?? "" };
}
