import type { Member } from "@coterie/core";
import type { Clock, Network } from "@coterie/ports";
import type { PeerRequest, PeerResponse } from "./messages.ts";
import { oneShot } from "./one-shot.ts";

interface AskingParts {
  readonly clock: Clock;
  readonly network: Network<PeerRequest, PeerResponse>;
}

/** A member's answer; `undefined` if there is none within so many milliseconds. */
export function askPeer(
  { clock, network }: AskingParts,
  { address }: Member,
  request: PeerRequest,
  timeoutMs: number,
): Promise<PeerResponse | undefined> {
  const { promise, settle } = oneShot<PeerResponse | undefined>();
  network.call(address, request, clock.monotonicMs() + timeoutMs, (reply) => {
    settle(reply.ok ? reply.response : undefined);
  });
  return promise;
}
