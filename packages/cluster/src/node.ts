import {
  type AcceptorState,
  type BucketChange,
  type BucketSettings,
  type ClusterDocument,
  type Formation,
  HybridClock,
  type Key,
  type NodeId,
  type PartitionId,
  type PeerAddress,
  type Pressure,
  Ring,
} from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import { type RecordStore, type StoreStatistics, openStore } from "@coterie/storage";
import type { AntiEntropy } from "./anti-entropy/anti-entropy.ts";
import type { AntiEntropyView, RepairStarted } from "./anti-entropy/anti-entropy-view.ts";
import { startAntiEntropy } from "./anti-entropy/start-anti-entropy.ts";
import { Admission, newPressure } from "./admission.ts";
import { PeerCircuits } from "./circuits/peer-circuits.ts";
import type { PeerView } from "./circuits/peer-view.ts";
import { ClientRequests, type Ground } from "./client-requests.ts";
import { type Coordination, contextSealOf } from "./coordinator/coordination.ts";
import {
  AgreedDocument,
  type AgreementParts,
  isAboutDocument,
} from "./agreement/agreed-document.ts";
import { changeEvents } from "./agreement/change-events.ts";
import type { ChosenDocument } from "./agreement/change-document.ts";
import { explain, readOwnCopy } from "./coordinator/explain.ts";
import { ReadRouting } from "./coordinator/read-routing.ts";
import { ReadFlights } from "./coordinator/read-flights.ts";
import { WriteFlights } from "./coordinator/write-flights.ts";
import { type Ending, promiseOf } from "./ending.ts";
import { HeldFinder } from "./find/held-finder.ts";
import type { HeldOutcome, HeldQuery } from "./find/held-query.ts";
import { loadRegister } from "./formation/durable-identity.ts";
import { joinCluster } from "./formation/join.ts";
import { lockDirectory } from "./formation/lock-directory.ts";
import { askWhetherOusted } from "./formation/ousting.ts";
import { readDirectory } from "./formation/read-directory.ts";
import type { HandoffView } from "./handoff/handoff-view.ts";
import { loadOwed } from "./handoff/owed-file.ts";
import { type HandoffBefore, type NodeHandoff, startHandoff } from "./handoff/start-handoff.ts";
import type { HintBook } from "./hints/hint-book.ts";
import { openHints } from "./hints/open-hints.ts";
import { HotKeys } from "./hot/hot-keys.ts";
import type { MemberWatch, MembershipView } from "./membership/member-watch.ts";
import { watchMembers } from "./membership/watch-members.ts";
import type { Announcement, PeerRequest, PeerResponse } from "./messages.ts";
import { GainedFences } from "./moves/gained-fences.ts";
import type { Mover } from "./moves/mover.ts";
import type { MovesView } from "./moves/moves-view.ts";
import { startMoves } from "./moves/start-moves.ts";
import type { NodeApi, NodeStatistics } from "./node-api.ts";
import { type NodeConfig, type NodePorts, type StartOutcome, stoppedEarly } from "./node-config.ts";
import { newNodeCounters } from "./node-counters.ts";
import { Idleness } from "./idleness.ts";
import { PeerRequests, isForwarded } from "./peer-requests.ts";
import { FenceTable } from "./reaping/fence-table.ts";
import type { ReapingView } from "./reaping/reaper.ts";
import { type Reaping, startReaping } from "./reaping/reaping.ts";
import { Refiller } from "./refill/refiller.ts";
import { Replica, refusal } from "./replica/replica.ts";
import { Sweeper } from "./replica/sweeper.ts";
import { Topology } from "./topology/topology.ts";
import { answerLevels } from "./topology/upgrade.ts";
import type {
  BucketOutcome,
  Explanation,
  Failure,
  GetOutcome,
  PutInput,
  ReplicaAnswer,
  RequestOptions,
  ScanOptions,
  ScanOutcome,
  WriteOutcome,
} from "./requests.ts";

/** How long a change of the document may take, in milliseconds. */
const changeMsMax = 5000;

type Phase = "opening" | "forming" | "ready" | "draining" | "stopping";

/** A member of a cluster, whole: made from its ports, its configuration and its disk alone. */
export class CoterieNode implements NodeApi {
  readonly id: NodeId;
  readonly #ports: NodePorts;
  readonly #config: NodeConfig;
  readonly #counters = newNodeCounters();
  readonly #hybridClock = new HybridClock();
  /** How busy this node is: what runs in the background asks it. */
  readonly pressure: Pressure;
  readonly #admission: Admission;
  readonly #requests: ClientRequests;
  #ground: Ground | undefined;
  #phase: Phase = "opening";
  #formation: Formation | undefined;
  #nonce = "";
  #agreement: AgreedDocument | undefined;
  #topology: Topology | undefined;
  #store: RecordStore | undefined;
  #hints: HintBook | undefined;
  #fences: FenceTable | undefined;
  #coordination: Coordination | undefined;
  #sweeper: Sweeper | undefined;
  #finder: HeldFinder | undefined;
  #watch: MemberWatch | undefined;
  #circuits: PeerCircuits | undefined;
  #handoff: NodeHandoff | undefined;
  #antiEntropy: AntiEntropy | undefined;
  #reaping: Reaping | undefined;
  #mover: Mover | undefined;
  #refiller: Refiller | undefined;
  #peerRequests: PeerRequests | undefined;
  readonly #idleness: Idleness = new Idleness(
    () => this.pressure.requests === 0 && (this.#peerRequests?.inFlight ?? 0) === 0,
  );
  #started: Promise<StartOutcome> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(ports: NodePorts, config: NodeConfig) {
    this.id = config.member.id;
    this.#ports = ports;
    this.#config = config;
    this.pressure = newPressure(config);
    this.#admission = new Admission({
      self: this.id,
      clock: ports.clock,
      counters: this.#counters,
      pressure: this.pressure,
      onIdle: () => this.#idleness.look(),
    });
    this.#requests = new ClientRequests({
      admission: this.#admission,
      ground: () => (this.#isOpen ? this.#ground : undefined),
      refuse: () => this.#refuseEarly(),
    });
  }

  /** Locks and opens the directory, forms or rejoins the cluster, and serves. Called once. */
  start(): Promise<StartOutcome> {
    this.#started = this.#start();
    return this.#started;
  }

  /**
   * Coordinates nothing new, and tells the others that it goes; as a replica it serves on, until
   * {@link stop}. Resolves when the others have heard it, or will not.
   */
  async drain(): Promise<void> {
    if (this.#phase === "ready") this.#phase = "draining";
    if (this.#phase === "draining") await this.#watch?.leave();
  }

  /**
   * Refuses what is new, finishes what is in flight, and closes the directory cleanly. A node that
   * is still starting stops once its store is open: until then it may be writing.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #start(): Promise<StartOutcome> {
    const locked = await lockDirectory(this.#ports.disk);
    if (!locked.ok) return locked;
    const started = await this.#open();
    if (!started.ok) await this.#close();
    return started;
  }

  async #stop(): Promise<void> {
    this.#phase = "stopping";
    // A failed start has closed what it opened.
    if ((await this.#started)?.ok !== true) return;
    await this.#idleness.reached();
    await this.#watch?.stop();
    await this.#close();
  }

  async #close(): Promise<void> {
    this.#phase = "stopping";
    this.#circuits?.stop();
    const work = [this.#agreement, this.#sweeper, this.#antiEntropy, this.#mover, this.#reaping];
    for (const part of [...work, this.#handoff, this.#hints, this.#store]) await part?.stop();
    await new Promise<void>((resolve) => this.#ports.disk.unlock(() => resolve()));
  }

  /** Answers another node. */
  receive(
    request: PeerRequest,
    deadline: MonotonicMs,
    settle: (response: PeerResponse) => void,
  ): void {
    this.#counters.peerRequestsServed += 1;
    if (request.kind === "announce") return settle(this.#answerAnnouncement(request.announcement));
    if (request.kind === "ask-levels") return settle(answerLevels(this.#config));
    if (request.kind === "membership") {
      if (this.#watch !== undefined) return this.#watch.receive(request, settle);
      return settle(refusal("not-ready", `${this.id} is starting`));
    }
    const agreement = this.#agreement;
    const requests = this.#peerRequests;
    if (agreement === undefined || requests === undefined) {
      return settle(refusal("not-ready", `${this.id} is starting`));
    }
    const isClosing = this.#phase === "draining" && isForwarded(request);
    if (isClosing || this.#phase === "stopping") {
      return settle(refusal("shutting-down", `${this.id} is shutting down`));
    }
    if (isAboutDocument(request)) return agreement.receive(request, settle);
    this.#admission.watchTurn();
    requests.receive(request, deadline, settle);
  }

  get(key: Key, options: RequestOptions): Promise<GetOutcome> {
    return promiseOf((ending) => this.#requests.get(key, options, ending));
  }

  beginGet(key: Key, options: RequestOptions, ending: Ending<GetOutcome>): void {
    this.#requests.get(key, options, ending);
  }

  put(key: Key, input: PutInput, options: RequestOptions): Promise<WriteOutcome> {
    return this.#requests.put(key, input, options);
  }

  delete(key: Key, context: string | undefined, options: RequestOptions): Promise<WriteOutcome> {
    return this.#requests.delete(key, context, options);
  }

  scan(bucket: string, options: ScanOptions): Promise<ScanOutcome> {
    return this.#requests.scan(bucket, options);
  }

  async findHeld(query: HeldQuery): Promise<HeldOutcome> {
    return (await this.#finder?.find(query)) ?? this.#refuseEarly();
  }

  hotKeys(): HotKeys | undefined {
    return this.#coordination?.hotKeys;
  }

  changeBucket(change: BucketChange): Promise<BucketOutcome> {
    return this.#requests.changeBucket(change);
  }

  /** Has the next version of the document chosen; `undefined` before the cluster has formed. */
  async changeDocument(
    change: (current: ClusterDocument) => ClusterDocument,
  ): Promise<ChosenDocument | undefined> {
    return this.#agreement?.change(change, this.#ports.clock.monotonicMs() + changeMsMax);
  }

  async bucket(name: string): Promise<BucketSettings | undefined> {
    await this.#agreement?.lookFor(name);
    return this.#agreement?.ring.bucket(name);
  }

  async explain(key: Key): Promise<Explanation | undefined> {
    await this.#agreement?.lookFor(key.bucket);
    return this.#coordination === undefined ? undefined : explain(this.#coordination, key);
  }

  async readReplica(key: Key): Promise<ReplicaAnswer> {
    if (this.#coordination === undefined) return { state: "unknown" };
    return readOwnCopy(this.#coordination, key);
  }

  missing(): readonly string[] {
    if (this.#phase === "ready") return [];
    if (this.#phase === "opening") return ["the store is being opened"];
    if (!this.#isOpen) return ["the node is shutting down"];
    const outcome = this.#formation?.outcome();
    if (outcome !== undefined && "missing" in outcome) return outcome.missing;
    return ["the cluster document is being stored"];
  }

  document(): ClusterDocument | undefined {
    return this.#agreement?.ring.document;
  }

  documentDigest(): string {
    return this.#agreement?.ring.digest ?? "";
  }

  peers(): readonly PeerView[] {
    const members = this.document()?.members ?? [];
    return this.#circuits?.view(members.filter(({ id }) => id !== this.id)) ?? [];
  }

  membership(): MembershipView | undefined {
    return this.#watch?.view();
  }

  handoff(): HandoffView | undefined {
    return this.#handoff?.handoff.view();
  }

  antiEntropy(): AntiEntropyView | undefined {
    return this.#antiEntropy?.view();
  }

  repair(partitions: readonly PartitionId[] | "all"): RepairStarted {
    if (this.#antiEntropy !== undefined) return this.#antiEntropy.repair(partitions);
    return { ok: false, code: "not-ready", message: `${this.id} is starting` };
  }

  topology(): Topology | undefined {
    return this.#topology;
  }

  reaping(): ReapingView | undefined {
    return this.#reaping?.view();
  }

  moves(): MovesView | undefined {
    return this.#mover?.view();
  }

  /** The stream to a peer is open again after it was broken: what it missed can be sent. */
  returned(address: PeerAddress): void {
    const member = this.document()?.members.find((each) => each.address === address);
    if (member !== undefined) {
      this.#handoff?.handoff.wake(member.id);
      this.#antiEntropy?.wake(member.id);
      this.#mover?.wake(member.id);
    }
    this.#circuits?.retry(address);
  }

  /** The stream to a peer broke: it is probed, without waiting for its turn. */
  doubt(address: PeerAddress): void {
    this.#watch?.doubt(address);
  }

  statistics(): NodeStatistics {
    return {
      ...this.#counters,
      ...this.#admission.statistics(),
      store: this.#store?.statistics(),
      hints: this.#hints?.statistics(),
      circuits: this.#circuits?.counts,
    };
  }

  /** True while it may lack records that damage took, and answers `unknown` for those. */
  get isRefilling(): boolean {
    return this.#refiller?.isRunning ?? false;
  }

  /** Refills what damage took; called at the start, and again whenever the store reports damage. */
  refillDamage(): void {
    this.#refiller?.begin();
  }

  async #open(): Promise<StartOutcome> {
    const { disk, random, clock, engine } = this.#ports;
    const { settings } = this.#config;
    const known = await readDirectory(this.#ports, this.#config);
    if (!known.ok) return known;
    this.#nonce = known.nonce;
    const { partitions, hash } = settings;
    const before = known.document === undefined ? undefined : new Ring(known.document);
    const ring = (): Ring | undefined => this.#agreement?.ring ?? before;
    const classOf = (bucket: string): number => ring()?.bucket(bucket)?.n ?? 0;
    const options = { ...this.#config.store, partitions, hash, classOf, pressure: this.pressure };
    const opened = await openStore({ clock, disk, random }, options, engine);
    if (!opened.ok) {
      const code = opened.code === "disk-full" || opened.code === "io" ? opened.code : undefined;
      return { ok: false, code: code ?? "wrong-directory", message: opened.message };
    }
    this.#store = opened.store;
    const hints = await openHints(this.#ports, this.#config, opened.store);
    if (!hints.ok) return hints;
    this.#hints = hints.book;
    this.#fences = await FenceTable.open(disk, partitions, this.#config.store.onFatal);
    this.#config.onEvent({ kind: "store-opened", report: opened.report });
    if (this.#isStopping()) return stoppedEarly;
    if (known.document === undefined) return this.#form();
    const votes = await loadRegister(disk);
    if (!votes.ok) return votes;
    const owed = await loadOwed(disk, settings.partitions);
    const hasCrashed = !opened.report.wasCleanStop || owed?.ok !== true;
    const ousted = await askWhetherOusted({ ...this.#ports, self: this.id }, known.document);
    if (ousted !== undefined) return { ok: false, code: "wrong-directory", message: ousted };
    const started = this.#serveUnder(known.document, votes.state, { owed, hasCrashed });
    if (started.ok) this.#agreement?.catchUp();
    return started;
  }

  async #form(): Promise<StartOutcome> {
    this.#phase = "forming";
    const joined = await joinCluster({
      ports: this.#ports,
      config: this.#config,
      nonce: this.#nonce,
      store: this.#store as RecordStore,
      isStopped: () => this.#isStopping(),
      onFormation: (formation) => {
        this.#formation = formation;
      },
    });
    if (!joined.ok) return joined;
    // A directory that was lost may have owed something to others: nobody knows what.
    const before = { owed: undefined, hasCrashed: joined.isRejoin };
    return this.#serveUnder(joined.document, undefined, before);
  }

  get #isOpen(): boolean {
    return this.#phase !== "draining" && this.#phase !== "stopping";
  }

  #isStopping(): boolean {
    return this.#phase === "stopping";
  }

  #serveUnder(
    document: ClusterDocument,
    votes: AcceptorState<ClusterDocument> | undefined,
    before: HandoffBefore,
  ): StartOutcome {
    if (this.#isStopping()) return stoppedEarly;
    const store = this.#store as RecordStore;
    const hints = this.#hints as HintBook;
    const network = this.#newCircuits();
    this.#circuits = network;
    const agreement = new AgreedDocument(this.#agreementParts(network), document, votes);
    this.#agreement = agreement;
    const watch = watchMembers(this.#ports, this.#config, agreement, {
      onAlive: (address) => this.returned(address),
      onSuspected: (address) => network.doubt(address),
    });
    this.#watch = watch;
    const statistics = (): StoreStatistics => store.statistics();
    const members = { agreement, watch, statistics, config: this.#config };
    this.#topology = new Topology({ ...this.#ports, ...members });
    const place = {
      self: this.id,
      clock: this.#ports.clock,
      fences: this.#fences as FenceTable,
      ring: () => agreement.ring,
    };
    const gained = new GainedFences({ ...place, network });
    const hybridClock = this.#hybridClock;
    const shared = { ...place, agreement, gained, store, hints, hybridClock };
    const { random } = this.#ports;
    const { tuning } = this.#config;
    const isHealthy = (id: NodeId): boolean => watch.isHealthy(id);
    const replica = new Replica(shared);
    const owing = startHandoff({
      ...shared,
      replica,
      pressure: this.pressure,
      counters: this.#counters,
      ports: { ...this.#ports, network },
      config: this.#config,
      ...before,
    });
    this.#handoff = owing;
    this.#coordination = {
      ...shared,
      random,
      network,
      isHealthy,
      replica,
      handoff: owing.handoff,
      missed: owing.missed,
      counters: this.#counters,
      contextSeal: contextSealOf(document, this.#config.contextKey, this.#ports.sha256),
      tuning,
      pressure: this.pressure,
      routing: new ReadRouting({ ...shared, isHealthy, random, network, tuning }),
      readFlights: new ReadFlights({ ...place, counters: this.#counters }),
      writeFlights: new WriteFlights({ ...place, counters: this.#counters, tuning }),
      hotKeys: new HotKeys({ ...place, network, tuning }),
    };
    this.#ground = { coordination: this.#coordination, agreement };
    this.#beginWork(this.#coordination, agreement, gained);
    return { ok: true };
  }

  /** Begins to answer, and whatever goes on by itself. */
  #beginWork(coordination: Coordination, agreement: AgreedDocument, gained: GainedFences): void {
    const { onEvent, tuning } = this.#config;
    const isStopped = (): boolean => this.#isStopping();
    this.#sweeper = new Sweeper({ ...coordination, keepExpiredMs: tuning.keepExpiredMs });
    this.#sweeper.begin();
    const antiEntropy = startAntiEntropy(coordination, this.#config);
    this.#antiEntropy = antiEntropy;
    this.#finder = new HeldFinder(coordination, isStopped);
    const reaping = startReaping(coordination, this.#config, (partitions) => {
      this.#mover?.restart(partitions);
      this.refillDamage();
    });
    this.#reaping = reaping;
    this.#mover = startMoves(coordination, { agreement, antiEntropy, gained });
    this.#peerRequests = this.#newPeerRequests(agreement, coordination, reaping);
    this.#refiller = new Refiller({ coordination, antiEntropy, reaping, isStopped, onEvent });
    this.#phase = "ready";
    onEvent({ kind: "ready" });
    this.#refiller.begin();
  }

  #newPeerRequests(
    agreement: AgreedDocument,
    coordination: Coordination,
    reaping: Reaping,
  ): PeerRequests {
    const { inFlightMax: forwardedMax, onEvent } = this.#config;
    const { clock, store, replica, hotKeys } = coordination;
    return new PeerRequests({
      coordination,
      agreement,
      receivers: { clock, store, replica, reaping, hotKeys },
      forwardedMax,
      isStopping: () => this.#isStopping(),
      onSettled: () => this.#idleness.look(),
      onEvent,
    });
  }

  #newCircuits(): PeerCircuits {
    return new PeerCircuits({
      ...this.#ports,
      ping: (address, deadline, settle) =>
        (this.#watch as MemberWatch).ping(address, deadline, settle),
      onClosed: (address) => this.returned(address),
      onStale: (epoch) => this.#agreement?.noteStale(epoch),
    });
  }

  #agreementParts(network: PeerCircuits): AgreementParts {
    const { onEvent, store } = this.#config;
    return {
      ...this.#ports,
      network,
      self: this.id,
      nonce: this.#nonce,
      onFatal: store.onFatal,
      onChange: (ring, before) => {
        this.#watch?.admit(ring.document);
        this.#mover?.adopt();
        for (const event of changeEvents(ring, before)) {
          if (event.kind === "directory-replaced") this.#counters.directoriesReplaced += 1;
          onEvent(event);
        }
      },
      onConflict: (reason) => onEvent({ kind: "peer-refused", reason }),
      onOusted: ({ how, reason }) => {
        if (this.#phase !== "ready") return;
        if (how === "replaced" || how === "given-up") return store.onFatal(reason);
        onEvent({ kind: "gone", how, reason });
        void this.stop();
      },
    };
  }

  #answerAnnouncement(announcement: Announcement): PeerResponse {
    if (this.#topology !== undefined) return this.#topology.receive(announcement);
    this.#formation?.receive(announcement);
    if (this.#formation === undefined) return refusal("not-ready", `${this.id} is opening`);
    return { kind: "announced", announcement: this.#formation.announcement() };
  }

  #refuseEarly(): Failure {
    return this.#isOpen
      ? this.#admission.refuse("not-ready", `${this.id} waits for: ${this.missing().join("; ")}`)
      : this.#admission.refuse("shutting-down", `${this.id} is shutting down`);
  }
}
