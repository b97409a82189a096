import type { PeerRequest, RingStamp } from "@coterie/cluster";
import { type PeerAddress, Ring, decodeDocument } from "@coterie/core";
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
  #stamp: RingStamp = { epoch: 0, tag: 0 };
  #turn = 0;

  private constructor(peers: readonly string[]) {
    this.#peers = peers as readonly PeerAddress[];
  }

  static async open({ addresses }: DriverInput): Promise<PeerDriver> {
    const driver = new PeerDriver(addressesOf(addresses, "peer"));
    driver.#stamp = await driver.#askForStamp();
    return driver;
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
        mode: "strict",
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

  /** Asks for the cluster's document, as a member does that has none yet. */
  #askForStamp(): Promise<RingStamp> {
    const to = this.#peers[0] as PeerAddress;
    const request = { kind: "ask", clusterId: "", epoch: 0 } as const;
    return new Promise((resolve, reject) => {
      this.#network.call(to, request, this.#clock.monotonicMs() + callMs, (reply) => {
        const bytes =
          reply.ok && reply.response.kind === "document" ? reply.response.document : undefined;
        const decoded = bytes === undefined ? undefined : decodeDocument(bytes);
        if (decoded?.ok === true) resolve(new Ring(decoded.document).stamp);
        else reject(new Error(`${to} does not show its cluster document`));
      });
    });
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
