import {
  type AcceptorState,
  type ClusterDocument,
  type ForcedChoice,
  type Member,
  type NodeId,
  Ring,
  ballotZero,
  decodeDocument,
  documentDigest,
  encodeDocument,
  forcedApart,
  isForced,
  pendingForce,
  settingsDifferences,
} from "@coterie/core";
import type { Clock, Disk, MonotonicMs, Network, Random } from "@coterie/ports";
import { type Ousting, oustedIn } from "../formation/ousting.ts";
import { saveDocument } from "../formation/durable-identity.ts";
import type {
  AcceptRequest,
  DocumentRequest,
  PeerRequest,
  PeerResponse,
  PrepareRequest,
  TellRequest,
} from "../messages.ts";
import { oneShot } from "../one-shot.ts";
import { refusal } from "../replica/replica.ts";
import { type ChosenDocument, type ProposerParts, changeDocument } from "./change-document.ts";
import { DocumentRegister } from "./document-register.ts";
import { type VotersNow, choiceOf, forceDocument, votersNow } from "./force-document.ts";
import { TaskQueue } from "./task-queue.ts";
import { askPeer } from "../ask-peer.ts";

/** How long one message about the document may take, in milliseconds. */
const callMs = 1000;
/** How long a request for a bucket that is not known here waits for others' word. */
const lookMs = 500;
/** How often nodes are asked about unknown buckets, and told what they seem to have missed. */
const againMs = 1000;
/** How often, at growing intervals, a version is asked for that nobody who was asked had. */
const againTriesMax = 4;
/** Pauses between two attempts to reach one peer: doubled from the first to the last. */
const retryMsMin = 100;
const retryMsMax = 30_000;
/** Attempts to reach one peer: over some four minutes, after which it learns when it asks. */
const triesMax = 16;
/** After so long a version that was accepted here and not heard of again is brought to an end. */
const leftoverMs = 3000;
/** How long such an end may take. */
const finishMs = 5000;
/** Votes that may wait for the disk. */
const votesMax = 64;

export interface AgreementParts {
  readonly self: NodeId;
  /** Of this node's directory. */
  readonly nonce: string;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly network: Network<PeerRequest, PeerResponse>;
  readonly random: Random;
  readonly onFatal: (reason: string) => void;
  /** This node goes by another version from now on. */
  readonly onChange: (ring: Ring, before: Ring) => void;
  /** Two documents cannot both be right. */
  readonly onConflict: (reason: string) => void;
  /** This directory is no member any more. */
  readonly onOusted: (ousting: Ousting) => void;
}

/** Whether a request between nodes is for an {@link AgreedDocument}. */
export function isAboutDocument(request: PeerRequest): request is DocumentRequest {
  const { kind } = request;
  return kind === "prepare" || kind === "accept" || kind === "tell" || kind === "ask";
}

/**
 * The cluster document as one node holds it: the version it goes by, its vote on the next one, and
 * what it does so that all others go by the same (docs/internals/agreement.md).
 *
 * A node goes only by versions that it knows to be chosen. It hears of a new one from whoever
 * proposed it, from the first request between nodes that carries a higher epoch, when it asks after
 * a start, and when a client names a bucket that it does not know.
 */
export class AgreedDocument {
  readonly #parts: AgreementParts;
  readonly #queue = new TaskQueue();
  /** Changes that are asked of this node: one at a time, or they would outbid each other. */
  readonly #changes = new TaskQueue();
  readonly #register: DocumentRegister;
  readonly #cancels = new Set<() => void>();
  /** What was accepted here as a forced version, and cannot be chosen any more. */
  #void: ClusterDocument | undefined;
  #ring: Ring;
  #isStopped = false;
  #isOusted = false;
  #isWatching = false;
  #isAskingAgain = false;
  /** The question that is on its way to all others. */
  #asking: Promise<void> | undefined;
  #lookedAt: MonotonicMs = Number.NEGATIVE_INFINITY;
  /** A version of which others spoke when they refused this node's requests. */
  #heardOf = 0;
  /** When others were asked for a version, and this node went by an earlier one all the same. */
  #missedAt: MonotonicMs = Number.NEGATIVE_INFINITY;
  #toldAt: MonotonicMs = Number.NEGATIVE_INFINITY;

  constructor(
    parts: AgreementParts,
    document: ClusterDocument,
    votes: AcceptorState<ClusterDocument> | undefined,
  ) {
    this.#parts = parts;
    this.#ring = new Ring(document);
    const { disk, onFatal } = parts;
    this.#register = new DocumentRegister(
      {
        disk,
        onFatal,
        queue: this.#queue,
        mayAccept: (value, accepted) => this.#mayAccept(value, accepted),
      },
      votes ?? { promised: ballotZero, accepted: { ballot: ballotZero, value: document } },
    );
  }

  /** The ring of the version that this node goes by. */
  get ring(): Ring {
    return this.#ring;
  }

  /** Asks every other member, until each has answered, whether there is a newer version. */
  catchUp(): void {
    for (const member of this.#others()) this.#reach(member, triesMax, () => this.#askOne(member));
    this.#watchLeftover();
  }

  /** Ends what is under way. Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    await this.#queue.whenIdle();
  }

  /**
   * Has the next version chosen, goes by it, and has told every member that can be reached when it
   * settles: those that were slow to say so are told again.
   */
  async change(
    change: (current: ClusterDocument) => ClusterDocument,
    deadline: MonotonicMs,
  ): Promise<ChosenDocument> {
    return this.#conclude(this.#propose(change, deadline));
  }

  /**
   * As {@link change}, where too few voters are left: all of those that are named agree in place of
   * a majority, and the others have no vote any more. Whether those are gone is for people to say.
   */
  async forceVoters(
    choice: ForcedChoice,
    epoch: number,
    deadline: MonotonicMs,
  ): Promise<ChosenDocument> {
    return this.#conclude(this.#force(choice, epoch, deadline));
  }

  /** Who votes on the next version, and who of them answers now. */
  async votersNow(): Promise<VotersNow> {
    await this.#askAll(callMs);
    return votersNow(this.#ring.document, async (member) => {
      return member.id === this.#parts.self || this.#askOne(member);
    });
  }

  async #conclude(proposed: Promise<ChosenDocument>): Promise<ChosenDocument> {
    const before = this.#ring.epoch;
    const chosen = await proposed;
    if (!chosen.ok) {
      this.#watchLeftover();
      return chosen;
    }
    if (!(await this.#adopt(chosen.document))) {
      const message = "the change was made, and this node could not store it";
      return { ok: false, code: "disk-full", outcome: "unknown", message };
    }
    if (chosen.document.epoch > before) await this.#tellAll(triesMax, chosen.document);
    return chosen;
  }

  /** Learns of the version that a request between nodes came with, if that is a later one. */
  async reachEpoch(epoch: number): Promise<void> {
    const { clock } = this.#parts;
    if (epoch <= this.#ring.epoch || clock.monotonicMs() - this.#missedAt < againMs) return;
    // A question that was on its way already may have been answered before that version was there.
    const isLate = this.#asking !== undefined;
    await this.#askAll(callMs);
    if (isLate && epoch > this.#ring.epoch) await this.#askAll(callMs);
    if (epoch <= this.#ring.epoch) return;
    this.#missedAt = clock.monotonicMs();
    this.#askAgain(epoch, 1);
  }

  /** A request of this node under `epoch` was refused by one that goes by a later version. */
  noteStale(epoch: number): void {
    this.#heardOf = Math.max(this.#heardOf, epoch + 1);
    void this.reachEpoch(epoch + 1);
  }

  /**
   * If this node has heard of a version after `epoch`, resolves when it goes by it, or cannot learn
   * it in time.
   */
  async reachHeard(epoch: number, deadline: MonotonicMs): Promise<void> {
    if (this.#ring.epoch > epoch || this.#heardOf <= epoch) return;
    const { promise, settle } = oneShot<void>();
    const cancel = this.#parts.clock.at(deadline, settle);
    void this.reachEpoch(this.#heardOf).then(settle);
    await promise;
    cancel();
  }

  /** Whoever went by that version could not be asked: perhaps nobody mentions it again for long. */
  #askAgain(epoch: number, tries: number): void {
    if (this.#isAskingAgain || tries > againTriesMax) return;
    this.#isAskingAgain = true;
    this.#later(againMs * 2 ** tries, () => {
      this.#isAskingAgain = false;
      if (epoch <= this.#ring.epoch) return;
      void this.#askAll(callMs).then(() => {
        if (epoch > this.#ring.epoch) this.#askAgain(epoch, tries + 1);
      });
    });
  }

  /** A request came from a node that goes by an earlier version. */
  noteBehind(): void {
    const now = this.#parts.clock.monotonicMs();
    if (now - this.#toldAt < againMs) return;
    void this.#tellAll(1);
  }

  /** Before `bucket` is said not to exist, asks whether others know more. */
  async lookFor(bucket: string): Promise<void> {
    if (this.#ring.bucket(bucket) !== undefined) return;
    const now = this.#parts.clock.monotonicMs();
    if (this.#asking === undefined && now - this.#lookedAt < againMs) return;
    await this.#askAll(lookMs);
    this.#lookedAt = this.#parts.clock.monotonicMs();
  }

  /** Answers another node. */
  receive(request: DocumentRequest, settle: (response: PeerResponse) => void): void {
    if (this.#queue.length >= votesMax) return settle(refusal("overloaded", "too many votes wait"));
    if (request.kind === "tell") return void this.#receiveTell(request).then(settle);
    const { clusterId } = this.#ring.document;
    const isJoining = request.kind === "ask" && request.clusterId === "";
    if (request.clusterId !== clusterId && !isJoining) {
      return settle(refusal("other-cluster", `${this.#parts.self} is of cluster ${clusterId}`));
    }
    if (request.kind !== "ask") return void this.#vote(request).then(settle);
    if (request.epoch > this.#ring.epoch) void this.reachEpoch(request.epoch);
    settle(this.#answer(request.epoch));
  }

  /**
   * Votes on the version after the one that the proposer goes by, if this node goes by that one
   * too: then this directory is one of its voters, and has not voted on any later version. What is
   * put into the queue now is done before any vote on a later one.
   */
  async #vote(request: PrepareRequest | AcceptRequest): Promise<PeerResponse> {
    await this.reachEpoch(request.epoch);
    if (request.epoch !== this.#ring.epoch) return this.#answer(request.epoch);
    return request.kind === "prepare"
      ? this.#receivePrepare(request)
      : this.#receiveAccept(request);
  }

  async #receivePrepare({ ballot }: PrepareRequest): Promise<PeerResponse> {
    const reply = await this.#register.prepare(ballot);
    if (reply === undefined) return refusal("disk-full", "the promise could not be stored");
    if (reply.kind === "outbid") return { kind: "outbid", ballot: reply.promised };
    const { accepted } = reply;
    return { kind: "promised", ballot: accepted.ballot, document: encodeDocument(accepted.value) };
  }

  async #receiveAccept({ ballot, document }: AcceptRequest): Promise<PeerResponse> {
    const decoded = decodeDocument(document);
    if (!decoded.ok) return refusal("malformed", decoded.reason);
    // Who votes on it is a member of the version before: in this one it may be none any more.
    const problem = this.#foreignness(decoded.document);
    if (problem !== undefined) return refusal("malformed", problem);
    if (decoded.document.epoch > this.#ring.epoch + 1 && !isForced(decoded.document)) {
      return refusal("malformed", "a version is made from the one before");
    }
    const reply = await this.#register.accept({ ballot, value: decoded.document });
    if (reply === undefined) return refusal("disk-full", "the version could not be stored");
    if (reply.kind === "outbid") return { kind: "outbid", ballot: reply.promised };
    this.#watchLeftover();
    return { kind: "accepted" };
  }

  async #receiveTell({ document }: TellRequest): Promise<PeerResponse> {
    const decoded = decodeDocument(document);
    if (!decoded.ok) return refusal("malformed", decoded.reason);
    if (!(await this.#adopt(decoded.document))) return refusal("disk-full", "it was not stored");
    return this.#answer(decoded.document.epoch);
  }

  /** Says which version this node goes by, and shows it to one that goes by an earlier one. */
  #answer(epoch: number): PeerResponse {
    const { document } = this.#ring;
    const isBehind = epoch < document.epoch;
    return {
      kind: "document",
      epoch: document.epoch,
      document: isBehind ? encodeDocument(document) : undefined,
    };
  }

  #propose(
    change: (current: ClusterDocument) => ClusterDocument,
    deadline: MonotonicMs,
  ): Promise<ChosenDocument> {
    return this.#changes.run(() => changeDocument(this.#proposer(), change, deadline));
  }

  #force(choice: ForcedChoice, epoch: number, deadline: MonotonicMs): Promise<ChosenDocument> {
    return this.#changes.run(() => forceDocument(this.#proposer(), choice, epoch, deadline));
  }

  #proposer(): ProposerParts {
    return {
      ...this.#parts,
      register: this.#register,
      document: () => this.#ring.document,
      offer: (bytes, from) => void this.#offer(bytes, from),
      adopt: (document) => this.#adopt(document),
      isBound: () => this.#pending() !== undefined,
      isStopped: () => this.#isStopped,
    };
  }

  /** A forced version that was accepted here: nothing is taken that does not come after it. */
  #pending(accepted = this.#register.accepted.value): ClusterDocument | undefined {
    return accepted === this.#void ? undefined : pendingForce(this.#ring.document, accepted);
  }

  #mayAccept(value: ClusterDocument, accepted: ClusterDocument): boolean {
    const pending = this.#pending(accepted);
    if (pending !== undefined && value.epoch < pending.epoch) return false;
    return !isForced(value) || forcedApart(this.#ring.document, value) === undefined;
  }

  /**
   * One of those who all had to agree on a forced version goes by another one, which it would not
   * if it had accepted that: so it has not, and will not.
   */
  #noteGoingBy(document: ClusterDocument, from: NodeId): void {
    const pending = this.#pending();
    if (pending === undefined || choiceOf(pending)?.voters.includes(from) !== true) return;
    const isOther = document.epoch < pending.epoch && forcedApart(document, pending) !== undefined;
    if (isOther) this.#void = pending;
  }

  async #offer(bytes: Uint8Array, from: NodeId): Promise<void> {
    const decoded = decodeDocument(bytes);
    if (!decoded.ok) return;
    this.#noteGoingBy(decoded.document, from);
    await this.#adopt(decoded.document);
  }

  /** Stores a chosen version and goes by it, if it is a later one; false if it cannot be stored. */
  #adopt(document: ClusterDocument): Promise<boolean> {
    return this.#queue.run(async () => {
      const { epoch } = this.#ring;
      if (document.epoch < epoch || this.#isStopped) return true;
      const pending = this.#pending();
      const isEarlier = pending !== undefined && document.epoch < pending.epoch;
      if (isEarlier && forcedApart(document, pending) !== undefined) return true;
      const problem = this.#problemWith(document);
      const { self: id, nonce } = this.#parts;
      const ousting = oustedIn(document, this.#ring.document, { id, nonce });
      if (ousting !== undefined) this.#oust(document, ousting);
      else if (problem !== undefined) this.#parts.onConflict(problem);
      const isOurs = problem === undefined && ousting === undefined;
      if (!isOurs || document.epoch === epoch) return true;
      const saved = await saveDocument(this.#parts.disk, document);
      if (!saved.ok) {
        if (saved.code !== "disk-full") this.#parts.onFatal(saved.message);
        return false;
      }
      const before = this.#ring;
      this.#ring = new Ring(document);
      this.#parts.onChange(this.#ring, before);
      return true;
    });
  }

  /** Who has made the version that it is no member of is the one to tell the others. */
  #oust(document: ClusterDocument, ousting: Ousting): void {
    if (this.#isOusted) return;
    this.#isOusted = true;
    void this.#tellAll(1, document).then(() => this.#parts.onOusted(ousting));
  }

  /** Why a document cannot be a version of the one that this node goes by. */
  #problemWith(document: ClusterDocument): string | undefined {
    const { self, nonce } = this.#parts;
    if (document.members.some((member) => member.id === self && member.nonce === nonce)) {
      return this.#foreignness(document);
    }
    return (
      this.#foreignness(document) ?? `a version of the document came in which ${self} is no member`
    );
  }

  /** Why a document cannot be a version of the one that this node goes by, whoever is a member. */
  #foreignness(document: ClusterDocument): string | undefined {
    const { clusterId, settings } = this.#ring.document;
    if (document.clusterId !== clusterId) {
      return `a document of cluster ${document.clusterId} came to a node of cluster ${clusterId}`;
    }
    const differences = settingsDifferences(settings, document.settings);
    if (differences.length > 0) return `a version of the document came in which ${differences[0]}`;
    const isSameEpoch = document.epoch === this.#ring.epoch;
    if (isSameEpoch && documentDigest(document) !== this.#ring.digest) {
      return `two versions of the document have epoch ${document.epoch}`;
    }
    return undefined;
  }

  /** Resolves when each member has answered, or could not in time; then it is told again later. */
  #tellAll(tries: number = triesMax, document = this.#ring.document): Promise<void> {
    const request = { kind: "tell", document: encodeDocument(document) } as const;
    this.#toldAt = this.#parts.clock.monotonicMs();
    const { promise, settle } = oneShot<void>();
    const others = document.members.filter(({ id }) => id !== this.#parts.self);
    let pending = others.length;
    if (pending === 0) settle();
    for (const member of others) {
      const tell = async (): Promise<boolean> => {
        if (this.#ring.epoch > document.epoch) return true;
        const response = await this.#call(member, request);
        if (response?.kind !== "document") return false;
        if (response.document !== undefined) await this.#offer(response.document, member.id);
        return response.epoch >= document.epoch;
      };
      this.#reach(member, tries, tell, () => {
        pending -= 1;
        if (pending === 0) settle();
      });
    }
    return promise;
  }

  /** Asks all others at once; resolves when one knew more, all have answered, or time is up. */
  #askAll(timeoutMs: number): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const { promise, settle } = oneShot<void>();
    const others = this.#others();
    const { epoch } = this.#ring;
    let pending = others.length;
    if (pending === 0) settle();
    this.#later(timeoutMs, settle);
    for (const member of others) {
      void this.#askOne(member).then(() => {
        pending -= 1;
        if (pending === 0 || this.#ring.epoch > epoch) settle();
      });
    }
    this.#asking = promise.then(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Asks one member for a newer version; true if it answered. */
  async #askOne(member: Member): Promise<boolean> {
    const { clusterId, epoch } = this.#ring.document;
    const response = await this.#call(member, { kind: "ask", clusterId, epoch });
    if (response?.kind !== "document") return false;
    if (response.document !== undefined) await this.#offer(response.document, member.id);
    return true;
  }

  /** Tries to reach a member, up to `tries` times at growing intervals, until it has worked. */
  #reach(
    member: Member,
    tries: number,
    attempt: () => Promise<boolean>,
    onFirst: () => void = () => undefined,
  ): void {
    void attempt().then((isReached) => {
      onFirst();
      if (isReached || tries <= 1) return;
      const pauseMs = Math.min(retryMsMin * 2 ** (triesMax - tries), retryMsMax);
      this.#later(pauseMs, () => this.#reach(member, tries - 1, attempt));
    });
  }

  /**
   * When a version was accepted here and nobody says for some time whether it was chosen, whoever
   * proposed it may be gone: this node then proposes to leave the document as it is, which has that
   * version chosen, or buries it. Not all voters at once: they would be in each other's way.
   */
  #watchLeftover(tries: number = 1): void {
    if (!this.#hasLeftover() || (this.#isWatching && tries === 1)) return;
    this.#isWatching = true;
    const { clock, random } = this.#parts;
    const pauseMs = Math.min(leftoverMs * tries, retryMsMax);
    this.#later(pauseMs + random.below(leftoverMs), () => {
      void this.#finishLeftover(clock.monotonicMs() + finishMs).then(() => {
        this.#isWatching = false;
        this.#watchLeftover(tries + 1);
      });
    });
  }

  async #finishLeftover(deadline: MonotonicMs): Promise<void> {
    if (!this.#hasLeftover()) return;
    const pending = this.#pending();
    const choice = pending === undefined ? undefined : choiceOf(pending);
    const chosen = await (choice === undefined
      ? this.#propose((current) => current, deadline)
      : this.#force(choice, this.#ring.epoch, deadline));
    if (chosen.ok && (await this.#adopt(chosen.document))) await this.#tellAll();
  }

  #hasLeftover(): boolean {
    const { value } = this.#register.accepted;
    return value.epoch > this.#ring.epoch && (!isForced(value) || this.#pending() !== undefined);
  }

  #call(member: Member, request: PeerRequest): Promise<PeerResponse | undefined> {
    return askPeer(this.#parts, member, request, callMs);
  }

  #later(ms: number, run: () => void): void {
    if (this.#isStopped) return;
    const { clock } = this.#parts;
    const cancel = clock.at(clock.monotonicMs() + ms, () => {
      this.#cancels.delete(cancel);
      if (!this.#isStopped) run();
    });
    this.#cancels.add(cancel);
  }

  #others(): readonly Member[] {
    return this.#ring.document.members.filter(({ id }) => id !== this.#parts.self);
  }
}
