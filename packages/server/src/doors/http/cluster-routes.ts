import type { NodeApi, ReplicaAnswer } from "@coterie/cluster";
import { type ClusterDocument, type MemberStatus, base64url } from "@coterie/core";
import { dotText } from "../dot-text.ts";
import { parseKey } from "./keys-route.ts";
import { jsonResponse, refuse } from "./responses.ts";
import type { RouteRequest } from "./route.ts";
import { siblingsJson } from "./siblings-body.ts";

// What an operator asks: the cluster, its ring, where a key lives, what one replica holds.

export function serveCluster({ parts: { node } }: RouteRequest): Response {
  const document = node.document();
  if (document === undefined) return notReady(node);
  const { clusterId, epoch, settings } = document;
  return jsonResponse({
    clusterId,
    epoch,
    digest: node.documentDigest(),
    node: node.id,
    partitions: settings.partitions,
    hash: settings.hash,
    nMax: settings.nMax,
    buckets: settings.buckets,
    members: membersJson(node, document),
  });
}

/**
 * `GET /v1/members`: who belongs to the cluster by its document, and how each is as far as this
 * node knows. Nobody votes on that: two nodes may answer differently.
 */
export function serveMembers({ parts: { node } }: RouteRequest): Response {
  const document = node.document();
  if (document === undefined) return notReady(node);
  return jsonResponse({
    node: node.id,
    epoch: document.epoch,
    localHealth: node.membership()?.localHealth ?? 0,
    members: membersJson(node, document),
  });
}

function membersJson(node: NodeApi, document: ClusterDocument): readonly unknown[] {
  const peers = new Map(node.peers().map((peer) => [peer.id, peer]));
  const states = new Map(node.membership()?.members.map((member) => [member.id, member]));
  return document.members.map(({ id, address, http, grpc, host, zone, weight }) => ({
    id,
    address,
    http,
    grpc,
    host,
    zone,
    weight,
    isReachable: peers.get(id)?.isReachable ?? true,
    circuit: peers.get(id)?.circuit ?? "closed",
    ...stateJson(states.get(id)),
  }));
}

function stateJson(status: MemberStatus | undefined): Readonly<Record<string, unknown>> {
  // A document may be newer than what is known of its members, for a moment.
  if (status === undefined) return { state: "unknown", sinceMs: 0, incarnation: 0, rttMs: null };
  const { state, sinceMs, incarnation, rttMs } = status;
  return {
    state,
    sinceMs: Math.round(sinceMs),
    incarnation,
    rttMs: rttMs === undefined ? null : Math.round(rttMs * 1000) / 1000,
  };
}

/** `GET /v1/hints`: what this node owes to others that were away, and how it is paid back. */
export function serveHints({ parts: { node } }: RouteRequest): Response {
  const view = node.handoff();
  if (view === undefined) return notReady(node);
  return jsonResponse({
    node: node.id,
    debts: view.debts.map(({ bytes, recordsPerSecond, etaMs, ageMs, ...debt }) => ({
      ...debt,
      bytes: bytes ?? null,
      recordsPerSecond: Math.round(recordsPerSecond),
      etaMs: etaMs === undefined ? null : Math.round(etaMs),
      ageMs: Math.round(ageMs),
    })),
  });
}

export function serveRing({ parts: { node } }: RouteRequest): Response {
  const document = node.document();
  if (document === undefined) return notReady(node);
  const owners = document.owners.map((list) => list.map((index) => document.members[index]?.id));
  const { epoch, settings } = document;
  return jsonResponse({ epoch, partitions: owners.length, hash: settings.hash, owners });
}

/** `GET /v1/buckets`: the settings of each. */
export function serveBuckets({ parts: { node } }: RouteRequest): Response {
  const document = node.document();
  if (document === undefined) return notReady(node);
  return jsonResponse({ buckets: document.settings.buckets });
}

export async function serveBucket({ parts: { node }, values }: RouteRequest): Promise<Response> {
  const [name = ""] = values;
  if (node.document() === undefined) return notReady(node);
  const bucket = await node.bucket(name);
  return bucket === undefined ? noSuchBucket(name) : jsonResponse(bucket);
}

/** `GET /v1/explain/{bucket}/{key}`: what each replica answers when asked now. */
export async function serveExplain({ parts: { node }, values }: RouteRequest): Promise<Response> {
  const [bucket = "", keySegment = ""] = values;
  const key = parseKey(bucket, keySegment);
  if (key instanceof Response) return key;
  if (node.document() === undefined) return notReady(node);
  const explanation = await node.explain(key);
  if (explanation === undefined) return noSuchBucket(bucket);
  const { replicas, ...rest } = explanation;
  return jsonResponse({
    ...rest,
    key: base64url(key.key),
    preferenceList: replicas.map(({ node: id }) => id),
    replicas: replicas.map(({ node: id, answer, ...rest }) => ({
      node: id,
      ...rest,
      ...answerJson(answer),
    })),
  });
}

/** `GET /v1/replica/{bucket}/{key}`: this node's own copy only. */
export async function serveReplica({ parts: { node }, values }: RouteRequest): Promise<Response> {
  const [bucket = "", keySegment = ""] = values;
  const key = parseKey(bucket, keySegment);
  if (key instanceof Response) return key;
  if (node.document() === undefined) return notReady(node);
  if ((await node.bucket(bucket)) === undefined) return noSuchBucket(bucket);
  const answer = await node.readReplica(key);
  if (answer.state === "absent") {
    return refuse("not-found", "this node holds nothing of the key");
  }
  if (answer.state !== "present") {
    return refuse("quorum-not-met", "this node cannot know what it holds: its copy was damaged");
  }
  const { siblings, context, digest, clock } = answer;
  return jsonResponse({ ...siblingsJson(context, siblings), digest, clock });
}

function noSuchBucket(name: string): Response {
  return refuse("no-such-bucket", `there is no bucket ${name}`);
}

function notReady(node: NodeApi): Response {
  return refuse("not-ready", `${node.id} waits for: ${node.missing().join("; ")}`);
}

function answerJson(answer: ReplicaAnswer): Readonly<Record<string, unknown>> {
  if (answer.state !== "present") return { ...answer };
  const { state, siblings, context, digest, clock, bytes } = answer;
  return { state, dots: siblings.map(dotText), clock, digest, bytes, context: context ?? null };
}
