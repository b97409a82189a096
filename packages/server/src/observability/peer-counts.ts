import type { PeerNetworks } from "../adapters/peer-network/peer-networks.ts";
import type { PeerServer } from "../adapters/peer-network/peer-server.ts";
import type { PeerCounts } from "./peer-readings.ts";

/** What was asked of other nodes, and what they asked of this one. */
export function peerCounts(network: PeerNetworks, peerServer: PeerServer): PeerCounts {
  const asked = network.totals();
  const served = peerServer.statistics;
  return {
    messagesSent: asked.messagesSent,
    operationsSent: asked.operationsSent,
    messagesReceived: served.messages,
    operationsReceived: served.operations,
    bytesSent: asked.bytesSent + served.bytesSent,
    bytesReceived: asked.bytesReceived + served.bytesReceived,
    reconnects: asked.reconnects,
    pending: asked.pendingOperations,
    refusals: asked.refusedOverBudget + asked.refusedUnreachable,
    malformed: asked.malformed + served.malformed,
    expired: served.expired,
  };
}
