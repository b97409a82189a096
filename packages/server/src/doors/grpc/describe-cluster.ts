import type { NodeApi } from "@coterie/cluster";
import { encodeClusterDescription } from "@coterie/protocol";

/** What a client needs to know of the cluster; `undefined` until it has formed. */
export function describeCluster(node: NodeApi, grpc: string): Uint8Array | undefined {
  const document = node.document();
  if (document === undefined) return undefined;
  const { epoch, members, settings, owners } = document;
  return encodeClusterDescription({
    epoch,
    node: node.id,
    // The document has the address with which this node joined; it may have another one by now.
    members: members.map((member) => (member.id === node.id ? { ...member, grpc } : member)),
    buckets: settings.buckets,
    partitions: owners,
    hash: settings.hash,
  });
}
