import type { CoterieNode, Failure, GetOutcome, ScanOutcome, WriteOutcome } from "@coterie/cluster";
import { type NodeId, type Sibling, errorTable } from "@coterie/core";
import type {
  ClusterDescription,
  KvFailure,
  KvOperation,
  KvReply,
  KvScan,
  KvSibling,
} from "@coterie/protocol";
import type { SimCluster } from "@coterie/sim";

const pageDefault = 1000;

/** The door of one node: takes what clients ask, as the gRPC door of a real one does. */
export class NodeDoor {
  readonly id: NodeId;
  readonly #cluster: SimCluster;

  constructor(cluster: SimCluster, id: NodeId) {
    this.id = id;
    this.#cluster = cluster;
  }

  /** `host:port` under which clients reach it. */
  get address(): string {
    return addressOf(this.id);
  }

  get isUp(): boolean {
    return this.#cluster.isUp(this.id);
  }

  /** Takes what arrived at the process: at once, or when it goes on after a pause. */
  whenRunning(take: () => void): void {
    this.#cluster.whenRunning(this.id, take);
  }

  /** Resolves with the answer; `undefined` if the node crashes before it has one. */
  answer(request: KvOperation | KvScan): Promise<KvReply | undefined> {
    return this.#cluster.ask(this.id, (node) => answer(node, request));
  }

  /** The layout of the cluster; `undefined` while the node does not know it. */
  describe(): ClusterDescription | undefined {
    const document = this.#cluster.node(this.id)?.document();
    if (document === undefined) return undefined;
    const { epoch, members, settings, owners } = document;
    return {
      epoch,
      node: this.id,
      members: members.map((member) => ({ ...member, grpc: addressOf(member.id) })),
      buckets: settings.buckets,
      partitions: owners,
      hash: settings.hash,
    };
  }
}

/** Where a client finds the node of that name. */
function addressOf(id: NodeId): string {
  return `${id}.test:1`;
}

async function answer(node: CoterieNode, request: KvOperation | KvScan): Promise<KvReply> {
  switch (request.kind) {
    case "get":
      return getReply(await node.get(request, request));
    case "put":
      return writeReply(await node.put(request, request, request));
    case "delete":
      return writeReply(await node.delete(request, request.context, request));
    case "scan":
      break;
  }
  return scanReply(await node.scan(request.bucket, scanOptions(request)));
}

function scanOptions({ limit, cursor, prefix, tombstones }: KvScan): {
  readonly limit: number;
  readonly cursor: string | undefined;
  readonly prefix: Uint8Array | undefined;
  readonly tombstones: boolean;
} {
  return {
    limit: limit === 0 ? pageDefault : limit,
    cursor,
    prefix: prefix.length === 0 ? undefined : prefix,
    tombstones,
  };
}

function getReply(outcome: GetOutcome): KvReply {
  if (!outcome.ok) return failureReply(outcome);
  const { siblings, context, acks } = outcome;
  return { kind: "get", siblings: siblings.map(kvSibling), context, acks };
}

function writeReply(outcome: WriteOutcome): KvReply {
  if (!outcome.ok) return failureReply(outcome);
  const { context, siblings, acks, body } = outcome;
  return { kind: "write", context, siblings, acks, body: body?.map(kvSibling) ?? [] };
}

function scanReply(outcome: ScanOutcome): KvReply {
  if (!outcome.ok) return failureReply(outcome);
  return { kind: "scan", items: outcome.items, cursor: outcome.cursor };
}

function failureReply({ code, message, outcome, acks }: Failure): KvFailure {
  const { retryable, hint } = errorTable[code];
  const isOutcomeUnknown = outcome === "unknown";
  return { kind: "failure", code, message, isOutcomeUnknown, acks, isRetryable: retryable, hint };
}

function kvSibling({ value, contentType, writtenAt, dots, expiresAtMs = 0 }: Sibling): KvSibling {
  const dot = dots.map(({ actor, counter }) => `${actor}:${counter}`).join("+");
  return { value: value.slice(), contentType, dot, writtenAtMs: writtenAt.wallMs, expiresAtMs };
}
