import { OperationBatch, PipeRequestBatch, clientMethods } from "@coterie/protocol";
import type { AttackedPort } from "./attacks.ts";
import type { WatchedNode } from "./watched-node.ts";

/** Each port of a node that speaks gRPC, by what it is for. */
export const attackedPorts: Readonly<Record<string, (node: WatchedNode) => AttackedPort>> = {
  peers: (node) => ({
    port: node.peerPort,
    path: "/coterie.peer.v1.Peer/Replicate",
    message: readBatch(),
  }),
  clients: (node) => ({ port: node.grpcPort, path: clientMethods.pipe, message: getRequest() }),
};

/** A batch with one request that a peer answers, however often. */
function readBatch(): Uint8Array {
  const batch = new OperationBatch();
  const stamp = { epoch: 1, tag: 1 };
  batch.add(1, 1e15, { kind: "read", stamp, bucket: "default", key: new Uint8Array(8) });
  return batch.take(1).slice();
}

/** A get that any node answers. */
function getRequest(): Uint8Array {
  const batch = new PipeRequestBatch();
  const asUsual = { r: undefined, pr: undefined, strict: true, timeoutMs: undefined };
  batch.add(1, {
    kind: "get",
    bucket: "default",
    key: Buffer.from("k"),
    ...asUsual,
    allSiblings: false,
    maxStaleMs: 0,
  });
  return batch.take().slice();
}
