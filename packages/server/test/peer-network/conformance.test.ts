import { createServer } from "node:net";
import { type PeerAddress, noFence } from "@coterie/core";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import { type NetworkSubject, networkGuarantees } from "@coterie/ports/conformance";
import { describe, it } from "vitest";
import { NodeRandom } from "../../src/adapters/node-random.ts";
import { http2Transport } from "../../src/adapters/peer-network/http2/http2-transport.ts";
import { PeerNetworks } from "../../src/adapters/peer-network/peer-networks.ts";
import {
  PeerNetwork,
  type PeerNetworkInput,
} from "../../src/adapters/peer-network/peer-network.ts";
import { PeerServer } from "../../src/adapters/peer-network/peer-server.ts";
import { SeverableTransport } from "../../src/adapters/peer-network/severable-transport.ts";
import type { PeerTransport } from "../../src/adapters/peer-network/transport.ts";
import { SystemClock } from "../../src/adapters/system-clock.ts";
import { transports } from "./test-node.ts";

/** A port on which nobody listens: it was given out, and given back. */
async function freeAddress(): Promise<PeerAddress> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  return `127.0.0.1:${port}` as PeerAddress;
}

/** One connection to each peer, or one for each size. */
const kinds = {
  "one stream": (input: PeerNetworkInput) => new PeerNetwork(input),
  lanes: (input: PeerNetworkInput) => new PeerNetworks(input),
};

async function subject(
  transport: PeerTransport,
  networkOf: (typeof kinds)[keyof typeof kinds],
): Promise<NetworkSubject<PeerRequest, PeerResponse>> {
  const clock = new SystemClock();
  const random = new NodeRandom();
  return {
    clock,
    nowhere: await freeAddress(),
    open: async (receive) => {
      const server = new PeerServer({ clock, receive, transport });
      const listening = await server.listen("127.0.0.1", 0);
      if (!listening.ok) throw new Error(listening.message);
      const network = networkOf({ clock, random, transport });
      return {
        address: `127.0.0.1:${listening.port}` as PeerAddress,
        network,
        close: async () => {
          network.close();
          await server.close();
        },
      };
    },
    request: (record) => ({ kind: "merge", fence: 0, stamp: { epoch: 1, tag: 2 }, record }),
    requestPayload: (request) => (request.kind === "merge" ? request.record : new Uint8Array(4)),
    response: (record) => ({ kind: "present", fence: noFence, record }),
    responsePayload: (response) =>
      response.kind === "present" ? response.record : new Uint8Array(4),
  };
}

const uncut = {
  name: "whole links that can be cut",
  transport: new SeverableTransport(http2Transport),
};

describe.each(Object.entries(kinds))("the network of gRPC streams, %s,", (_, networkOf) => {
  describe.each([...transports, uncut])("over $name", ({ transport }) => {
    it.concurrent.each(networkGuarantees)("$name", async (guarantee) =>
      guarantee.run(await subject(transport, networkOf)),
    );
  });
});
