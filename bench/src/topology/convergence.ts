import {
  AgreedDocument,
  type PeerRequest,
  type PeerResponse,
  isAboutDocument,
} from "@coterie/cluster";
import type { ClusterDocument, Member, PeerAddress } from "@coterie/core";
import type { MonotonicMs, Network, Reply } from "@coterie/ports";
import { SeededRandom, SimClock, SimDisk, SimNetwork, World, fairWeather } from "@coterie/sim";

export interface ConvergenceInput {
  readonly before: ClusterDocument;
  readonly after: ClusterDocument;
  readonly lossPerThousand: number;
  readonly seed: number;
  /** That a node sends in a millisecond, to all others together. */
  readonly bytesPerMs: number;
  /** For reading a version, on the node's one thread. */
  readonly readMs: number;
}

/** Milliseconds of virtual time since a member was asked to commit. */
export interface Convergence {
  /** Until it knows that the version is chosen, and goes by it. */
  readonly chosenMs: number;
  /** Until half of the members go by it, and until the last one does. */
  readonly halfMs: number;
  readonly allMs: number;
  /** That all nodes have sent until then. */
  readonly bytes: number;
}

/** Besides a document, what a message about it has. */
const messageBytes = 100;
const patienceMs = 300_000;

/**
 * Has members agree on the next version, and waits until each goes by it: the whole of what nodes
 * do about the document, each with a disk, over a network of so many bytes per second.
 */
export async function converge(input: ConvergenceInput): Promise<Convergence> {
  const { before, after, seed, lossPerThousand } = input;
  const drain = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const world = new World({ seed, drain });
  const network = new SimNetwork<PeerRequest, PeerResponse>(world, {
    copyRequest: (request) => request,
    copyResponse: (response) => response,
    weather: { ...fairWeather, lossPerThousand },
  });
  const traffic = { bytes: 0 };
  const knownAtMs: number[] = [];
  const nodes = before.members.map((member) => {
    const onChange = (): void => void knownAtMs.push(world.nowMs);
    return newNode({ ...input, world, network, traffic, onChange }, member);
  });
  const asker = nodes.at(-1);
  if (asker === undefined) throw new Error("a cluster has members");
  let failure: string | undefined;
  void asker
    .change((now) => (now.epoch === before.epoch ? after : now), patienceMs)
    .then((chosen) => {
      if (!chosen.ok) failure = chosen.message;
    });
  while (knownAtMs.length < nodes.length && failure === undefined && world.nowMs < patienceMs) {
    await world.run({ until: world.nowMs + 1 });
  }
  if (knownAtMs.length < nodes.length) {
    throw new Error(`${knownAtMs.length} of ${nodes.length} members go by it: ${failure ?? ""}`);
  }
  return {
    chosenMs: knownAtMs[0] ?? Infinity,
    halfMs: knownAtMs[Math.floor(nodes.length / 2)] ?? Infinity,
    allMs: knownAtMs.at(-1) ?? Infinity,
    bytes: traffic.bytes,
  };
}

interface NodeInput extends ConvergenceInput {
  readonly world: World;
  readonly network: SimNetwork<PeerRequest, PeerResponse>;
  readonly traffic: { bytes: number };
  readonly onChange: () => void;
}

function newNode(input: NodeInput, { id, nonce, address }: Member): AgreedDocument {
  const { world, before, onChange, network: net, bytesPerMs, readMs, traffic } = input;
  const clock = new SimClock(world);
  const link = new Turns(world);
  const thread = new Turns(world);
  const send = (message: PeerRequest | PeerResponse, then: () => void): void => {
    const bytes = bytesOf(message);
    traffic.bytes += bytes;
    link.take(bytes / bytesPerMs, then);
  };
  const read = (message: PeerRequest | PeerResponse, then: () => void): void => {
    thread.take(documentIn(message) === undefined ? 0 : readMs, then);
  };
  const port = net.register(address, clock, (request, _, settle) => {
    read(request, () => {
      if (!isAboutDocument(request)) return;
      agreed.receive(request, (response) => send(response, () => settle(response)));
    });
  });
  const network: Network<PeerRequest, PeerResponse> = {
    isReachable: (to) => port.isReachable(to),
    call: (to: PeerAddress, request, deadline: MonotonicMs, settle) => {
      send(request, () => {
        port.call(to, request, deadline, (reply: Reply<PeerResponse>) => {
          if (reply.ok) read(reply.response, () => settle(reply));
          else settle(reply);
        });
      });
    },
  };
  const fail = (reason: string): void => {
    throw new Error(`${id}: ${reason}`);
  };
  const agreed: AgreedDocument = new AgreedDocument(
    {
      self: id,
      nonce,
      clock,
      disk: new SimDisk(world, { name: id }),
      network,
      random: new SeededRandom(input.seed).fork(id),
      onFatal: fail,
      onChange,
      onConflict: fail,
      onOusted: () => fail("is no member any more"),
    },
    before,
    undefined,
  );
  return agreed;
}

/** What takes its time and is done one after the other. */
class Turns {
  readonly #world: World;
  #busyUntilMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  take(ms: number, then: () => void): void {
    const { nowMs } = this.#world;
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs) + ms;
    this.#world.later(this.#busyUntilMs - nowMs, then);
  }
}

function bytesOf(message: PeerRequest | PeerResponse): number {
  return messageBytes + (documentIn(message)?.length ?? 0);
}

function documentIn(message: PeerRequest | PeerResponse): Uint8Array | undefined {
  return "document" in message ? message.document : undefined;
}
