import { parseNodeId } from "../ids.ts";
import type { ClusterDocument } from "./cluster-document.ts";
import { isKeyHash } from "./token.ts";

/** Characters of a host, zone or address at most: a host name has at most 253. */
const labelLengthMax = 255;

/**
 * Whether parsed JSON has the types of a document throughout: what comes from a disk or a peer is
 * looked at before any of it is used. Extra fields are left to the check of canonical bytes.
 */
export function hasDocumentShape(value: unknown): value is ClusterDocument {
  if (!isFields(value)) return false;
  const { version, clusterId, epoch, settings, members, owners } = value;
  const { moves = [], entered = 1, leftovers = [], contextKey, level = 1 } = value;
  const { paused = true, forcings = [] } = value;
  return (
    version === 1 &&
    isHex(clusterId) &&
    Number.isSafeInteger(epoch) &&
    (epoch as number) >= 1 &&
    isSettings(settings) &&
    isListOf(members, isMember) &&
    isListOf(owners, isIndexList) &&
    isListOf(moves, isMove) &&
    Number.isSafeInteger(entered) &&
    isListOf(leftovers, isLeftover) &&
    (contextKey === undefined || isHex(contextKey, 64)) &&
    Number.isSafeInteger(level) &&
    (level as number) >= 1 &&
    paused === true &&
    isListOf(forcings, isForcing)
  );
}

function isIndexList(value: unknown): boolean {
  return isListOf(value, Number.isSafeInteger);
}

function isMove(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { partition, to, awaited } = value;
  return Number.isSafeInteger(partition) && isIndexList(to) && isIndexList(awaited);
}

function isLeftover(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { partition, member, place } = value;
  return [partition, member, place].every(Number.isSafeInteger);
}

function isForcing(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { epoch, base, digest, voters, lost, by, atMs } = value;
  return (
    [epoch, base, atMs].every(Number.isSafeInteger) &&
    isHex(digest) &&
    isListOf(voters, isId) &&
    isListOf(lost, isId) &&
    isLabel(by)
  );
}

function isId(value: unknown): boolean {
  return typeof value === "string" && parseNodeId(value) !== undefined;
}

function isSettings(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { partitions, hash, nMax, buckets } = value;
  return (
    [partitions, nMax].every(Number.isSafeInteger) &&
    (hash === undefined || isKeyHash(hash)) &&
    isListOf(buckets, isBucket)
  );
}

function isBucket(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { name, policy, n, r, w, pr, pw, allowStale, mode, ttlMs } = value;
  return (
    typeof name === "string" &&
    (policy === "siblings" || policy === "lww") &&
    [n, r, w, pr, pw, ttlMs ?? 1].every(Number.isSafeInteger) &&
    typeof allowStale === "boolean" &&
    (mode === undefined || mode === "strict" || mode === "sloppy")
  );
}

/** Whether a value is a member as a document can hold it: doors it has not got are left out. */
export function isMember(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { id, address, http, grpc, resp, host, zone, weight, nonce, firstNonce } = value;
  const { departure, vote } = value;
  return (
    isId(id) &&
    [address, http, grpc ?? "", resp ?? "", host, zone].every(isLabel) &&
    address !== "" &&
    Number.isSafeInteger(weight) &&
    isHex(nonce) &&
    (firstNonce === undefined || isHex(firstNonce)) &&
    (departure === undefined || departure === "leaving" || departure === "removed") &&
    (vote === undefined || vote === "forfeited")
  );
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => isItem(item));
}

function isLabel(value: unknown): boolean {
  return typeof value === "string" && value.length <= labelLengthMax;
}

function isHex(value: unknown, digits = 32): boolean {
  return typeof value === "string" && value.length === digits && /^[0-9a-f]*$/u.test(value);
}
