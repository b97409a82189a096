import {
  type ClusterDocument,
  type KnownMember,
  Membership,
  type MembershipCounts,
  type MembershipEvent,
  type MembershipMessage,
  type MembershipSettings,
  type MemberState,
  type MemberStatus,
  type NodeId,
  type PeerAddress,
  crc32c,
  utf8,
} from "@coterie/core";
import type { Cancel, Clock, MonotonicMs, Network, Random } from "@coterie/ports";
import type { MembershipRequest, PeerRequest, PeerResponse } from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import { refusal } from "../replica/replica.ts";

export interface MemberWatchInput {
  readonly self: KnownMember;
  readonly clock: Clock;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly random: Random;
  readonly settings: MembershipSettings;
  readonly onEvent: (event: MembershipEvent) => void;
  /** A node of another cluster took this one for one of its own. */
  readonly onStranger: (reason: string) => void;
}

/** What one node knows of all members, and how it came to know it. */
export interface MembershipView {
  /** In the order of their ids, this node among them. */
  readonly members: readonly MemberStatus[];
  /** 0 when this node has no reason to doubt itself, 8 at most. */
  readonly localHealth: number;
  readonly counts: MembershipCounts;
  readonly convergence: ConvergenceCounts;
}

/** Deaths by the seconds from their first confirmation anywhere until this node knew. */
export interface ConvergenceCounts {
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Upper bounds by which {@link ConvergenceCounts} are kept. */
export const convergenceBounds: readonly number[] = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What comes later than this answers nothing that anybody still waits for. */
const callMsMax = 4000;
/** The last words of a node that stops are waited for no longer than this. */
const farewellMs = 500;

/**
 * Runs the membership machine over a clock and a network. A message is a request; what the receiver
 * has to say to the sender at once is the response to it, so that a ping and its answer are one
 * call.
 */
export class MemberWatch {
  readonly #input: MemberWatchInput;
  readonly #machine: Membership;
  readonly #convergence = { counts: convergenceBounds.map(() => 0).concat(0), sum: 0 };
  #ids: ReadonlyMap<PeerAddress, NodeId> = new Map();
  #cluster = 0;
  #cancelTick: Cancel = () => {};
  #isStopped = false;
  #left: Promise<void> | undefined;

  constructor(input: MemberWatchInput) {
    const { self, settings, random } = input;
    this.#input = input;
    this.#machine = new Membership({ self, settings, random });
  }

  /** Takes the members from this version of the cluster document. */
  admit({ clusterId, members, epoch }: ClusterDocument): void {
    this.#cluster = crc32c(utf8(clusterId));
    this.#ids = new Map(members.map(({ id, address }) => [address, id]));
    this.#machine.admit(members, epoch, this.#input.clock.monotonicMs());
  }

  /** Begins to watch, and to be heard of. */
  start(): void {
    this.#tick();
  }

  /** Says goodbye, if it has not yet, and watches no more; resolves as {@link leave} does. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTick();
    return this.leave();
  }

  /** Says goodbye; resolves when those who are told first have heard it, or will not. */
  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  #leave(): Promise<void> {
    const { promise, settle } = oneShot<void>();
    this.#machine.leave(this.#input.clock.monotonicMs());
    const farewells = this.#drain();
    let pending = farewells.length;
    if (pending === 0) settle();
    for (const message of farewells) {
      this.#send(message, farewellMs, () => {
        pending -= 1;
        if (pending === 0) settle();
      });
    }
    return promise;
  }

  receive(request: MembershipRequest, settle: (response: PeerResponse) => void): void {
    const { message, cluster } = request;
    if (cluster !== this.#cluster) {
      const reason = `${message.from} of another cluster took this node for one of its own`;
      this.#input.onStranger(reason);
      return settle(refusal("other-cluster", reason));
    }
    this.#machine.receive(message, this.#input.clock.monotonicMs());
    const answers: MembershipMessage[] = [];
    for (const each of this.#drain()) {
      if (each.to === message.from) answers.push(each);
      else this.#send(each);
    }
    settle({ kind: "membership", messages: answers });
  }

  /** Something else than a probe suggests that the member at `address` is gone. */
  doubt(address: PeerAddress): void {
    if (this.#isStopped) return;
    const id = this.#ids.get(address);
    if (id === undefined) return;
    this.#machine.doubt(id, this.#input.clock.monotonicMs());
    this.#flush();
  }

  /** Asks the member at `address` directly whether it is there; settles with whether it said so. */
  ping(address: PeerAddress, deadline: MonotonicMs, settle: (isAnswered: boolean) => void): void {
    const { clock, network } = this.#input;
    const id = this.#ids.get(address);
    const message = id === undefined ? id : this.#machine.pingOf(id, clock.monotonicMs());
    // Of strangers nothing is known either way.
    if (message === undefined) return clock.afterTurn(() => settle(true));
    const request = { kind: "membership", cluster: this.#cluster, message } as const;
    network.call(address, request, deadline, (reply) => {
      if (reply.ok && reply.response.kind === "membership") this.#hear(reply.response.messages);
      settle(reply.ok);
    });
  }

  /** False for who is suspected, dead or gone. */
  isHealthy(id: NodeId): boolean {
    return this.#machine.isHealthy(id);
  }

  /** `undefined` for strangers. */
  stateOf(id: NodeId): MemberState | undefined {
    return this.#machine.members().find((member) => member.id === id)?.state;
  }

  view(): MembershipView {
    return {
      members: this.#machine.members(),
      localHealth: this.#machine.localHealth,
      counts: this.#machine.counts,
      convergence: this.#convergence,
    };
  }

  #tick(): void {
    const { clock, settings } = this.#input;
    if (this.#isStopped) return;
    const now = clock.monotonicMs();
    this.#machine.tick(now);
    this.#flush();
    this.#cancelTick = clock.at(now + settings.tickMs, () => this.#tick());
  }

  #flush(): void {
    for (const message of this.#drain()) this.#send(message);
  }

  #drain(): readonly MembershipMessage[] {
    const { messages, events } = this.#machine.drain();
    for (const event of events) {
      if (event.kind === "dead" && event.ageMs !== undefined) this.#noteDelay(event.ageMs / 1000);
      this.#input.onEvent(event);
    }
    return messages;
  }

  #noteDelay(seconds: number): void {
    let at = 0;
    while (at < convergenceBounds.length && seconds > (convergenceBounds[at] as number)) at += 1;
    this.#convergence.counts[at] = (this.#convergence.counts[at] as number) + 1;
    this.#convergence.sum += seconds;
  }

  #send(message: MembershipMessage, timeoutMs?: number, onSettled?: () => void): void {
    const { clock, network, settings } = this.#input;
    const address = this.#machine.addressOf(message.to);
    if (address === undefined) return;
    // Whoever doubts itself waits for longer, but a call ends soon enough.
    const patienceMs = settings.probeTimeoutMs * (this.#machine.localHealth + 1);
    const deadline = clock.monotonicMs() + (timeoutMs ?? Math.min(patienceMs, callMsMax));
    const request = { kind: "membership", cluster: this.#cluster, message } as const;
    network.call(address, request, deadline, (reply) => {
      if (reply.ok && reply.response.kind === "membership") this.#hear(reply.response.messages);
      onSettled?.();
    });
  }

  #hear(messages: readonly MembershipMessage[]): void {
    if (this.#isStopped || messages.length === 0) return;
    const now = this.#input.clock.monotonicMs();
    for (const message of messages) this.#machine.receive(message, now);
    this.#flush();
  }
}
