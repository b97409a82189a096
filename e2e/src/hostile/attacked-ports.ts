import { OperationBatch } from "@coterie/protocol";
import type { AttackedPort } from "./attacks.ts";
import type { WatchedNode } from "./watched-node.ts";

/** Each port of a node that speaks gRPC, by what it is for. */
export const attackedPorts: Readonly<Record<string, (node: WatchedNode) => AttackedPort>> = {
  peers: (node) => ({
    port: node.peerPort,
    path: "/coterie.peer.v1.Peer/Replicate",
    message: readBatch(),
  }),
};

/** A batch with one request that a peer answers, however often. */
function readBatch(): Uint8Array {
  const batch = new OperationBatch();
  const stamp = { epoch: 1, tag: 1 };
  batch.add(1, 1e15, { kind: "read", stamp, bucket: "default", key: new Uint8Array(8) });
  return batch.take(1).slice();
}
