import type { PeerRequest, RingStamp } from "@coterie/cluster";
import type { PeerAddress } from "@coterie/core";
import { NodeRandom, PeerNetwork, SystemClock } from "@coterie/server";
import { type Driver, type DriverInput, type Settle, addressesOf } from "./driver.ts";

const callMs = 10_000;

/**
 * The stream between nodes, without any door: speaks to the nodes as another node would. A put is
 * coordinated by the node that receives it, and counts when it is durable at w; a get is one
 * replica's own copy only, as a coordinator asks for it.
 */
export class PeerDriver implements Driver {
  readonly usesContexts = true;
  readonly #clock = new SystemClock();
  readonly #network = new PeerNetwork({ clock: this.#clock, random: new NodeRandom() });
  readonly #peers: readonly PeerAddress[];
  readonly #stamp: RingStamp;
  #turn = 0;

  private constructor(peers: readonly string[], stamp: RingStamp) {
    this.#peers = peers as readonly PeerAddress[];
    this.#stamp = stamp;
  }

  static async open({ addresses }: DriverInput): Promise<PeerDriver> {
    const stamp = await stampOf(addressesOf(addresses, "http")[0] as string);
    return new PeerDriver(addressesOf(addresses, "peer"), stamp);
  }

  get(key: string, settle: Settle): void {
    const request = this.#common(key);
    this.#call({ ...request, kind: "read" }, settle);
  }

  put(key: string, value: Buffer, context: string | undefined, settle: Settle): void {
    const request = this.#common(key);
    this.#call(
      {
        ...request,
        kind: "put",
        value,
        contentType: "",
        context,
        writeId: undefined,
        ttlMs: undefined,
        expiresAtMs: undefined,
        w: 2,
        pw: 0,
        returnBody: false,
      },
      settle,
    );
  }

  scan(_cursor: string, _limit: number, settle: Settle): void {
    setImmediate(() => settle({ error: "not-supported" }));
  }

  close(): Promise<void> {
    this.#network.close();
    return Promise.resolve();
  }

  #common(key: string): {
    readonly stamp: RingStamp;
    readonly bucket: string;
    readonly key: Uint8Array;
  } {
    return { stamp: this.#stamp, bucket: "default", key: Buffer.from(key, "latin1") };
  }

  #call(request: PeerRequest, settle: Settle): void {
    const to = this.#peers[this.#turn % this.#peers.length] as PeerAddress;
    this.#turn += 1;
    this.#network.call(to, request, this.#clock.monotonicMs() + callMs, (reply) => {
      if (!reply.ok) return settle({ error: reply.reason });
      const { response } = reply;
      if (response.kind === "refused") settle({ error: response.code });
      else if (response.kind === "written") {
        settle({ error: undefined, context: response.context });
      } else if (response.kind === "present") {
        settle({ error: undefined, valueBytes: response.record.length });
      } else settle({ error: response.kind === "absent" ? undefined : response.kind });
    });
  }
}

async function stampOf(door: string): Promise<RingStamp> {
  const response = await fetch(`http://${door}/v1/cluster`);
  const { epoch, digest } = (await response.json()) as { epoch: number; digest: string };
  return { epoch, tag: Number.parseInt(digest.slice(0, 8), 16) };
}
