import type { PeerAddress } from "@coterie/core";
import type { NetworkSubject } from "@coterie/ports/conformance";
import { SimClock, SimNetwork, type World } from "../src/index.ts";

/** The simulated network, carrying bare payloads. */
export function networkSubject(world: World): NetworkSubject<Uint8Array, Uint8Array> {
  const network = new SimNetwork<Uint8Array, Uint8Array>(world, {
    copyRequest: (request) => request.slice(),
    copyResponse: (response) => response.slice(),
  });
  const clock = new SimClock(world, { monotonicOffsetMs: 12_345 });
  let opened = 0;
  return {
    clock,
    open: async (receive) => {
      const address = `node-${opened++}` as PeerAddress;
      const port = network.register(address, clock, receive);
      return { address, network: port, close: async () => network.crash(address) };
    },
    nowhere: "nowhere" as PeerAddress,
    request: (payload) => payload,
    requestPayload: (request) => request,
    response: (payload) => payload,
    responsePayload: (response) => response,
  };
}
