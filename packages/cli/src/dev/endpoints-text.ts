import type { KeyHash } from "@coterie/core";

/** What lies between the ports of a node for HTTP and for Redis clients. */
export const RESP_OFFSET = 100;

/** Where one node of a dev cluster listens. */
export interface DevEndpoint {
  readonly id: string;
  readonly http: string;
  readonly grpc: string;
  readonly resp: string;
  readonly peer: string;
}

/** As the server knows them; without loading it. */
export const devHashes: readonly KeyHash[] = ["md5", "redis-slots"];

/** What may keep the records of a node, as the server knows them. */
export const devEngines = ["log", "leveldb"] as const;
export type DevEngine = (typeof devEngines)[number];

/** DIR/endpoints.json: what the cluster in a directory was made with. */
export interface DevEndpoints {
  readonly isMemory: boolean;
  readonly partitions: number;
  /** What makes partitions of keys. */
  readonly hash: KeyHash;
  /** What keeps the records of each node. */
  readonly engine: DevEngine;
  readonly n: number;
  readonly r: number;
  readonly w: number;
  readonly nodes: readonly DevEndpoint[];
}

/** Reads the text of the file; `undefined` when it does not describe a cluster. */
export function parseEndpoints(text: string): DevEndpoints | undefined {
  const parsed = objectIn(text);
  const { isMemory, partitions, hash = "md5", engine = "log", n, r, w, nodes } = parsed ?? {};
  const isWhole =
    typeof isMemory === "boolean" &&
    [partitions, n, r, w].every(isPositive) &&
    devHashes.some((known) => known === hash) &&
    devEngines.some((known) => known === engine) &&
    Array.isArray(nodes) &&
    nodes.length > 0 &&
    nodes.every(isEndpoint);
  if (!isWhole) return undefined;
  const endpoints = { ...parsed, hash, engine } as unknown as DevEndpoints;
  return { ...endpoints, nodes: endpoints.nodes.map(withResp) };
}

type Fields = Readonly<Record<string, unknown>>;

function objectIn(text: string): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isFields(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isPositive(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** An id becomes the name of a directory. */
function isEndpoint(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { id, http, grpc, resp, peer } = value;
  return /^n\d{1,9}$/u.test(String(id)) && [http, grpc, resp ?? "older:0", peer].every(isAddress);
}

/** Directories from before there was a door for Redis clients do not name it. */
function withResp(node: Omit<DevEndpoint, "resp"> & { readonly resp?: string }): DevEndpoint {
  const [host = "", port = ""] = node.http.split(":");
  return { ...node, resp: node.resp ?? `${host}:${Number(port) + RESP_OFFSET}` };
}

function isAddress(value: unknown): boolean {
  return typeof value === "string" && /^[^\s:/]+:\d{1,5}$/u.test(value);
}
