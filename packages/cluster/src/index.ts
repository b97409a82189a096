export {
  AgreedDocument,
  type AgreementParts,
  isAboutDocument,
} from "./agreement/agreed-document.ts";
export type { ChosenDocument } from "./agreement/change-document.ts";
export type {
  AntiEntropyCounts,
  AntiEntropyEvent,
  AntiEntropyView,
  ExchangeProblem,
  PeerExchangeView,
  RepairFailure,
  RepairStarted,
  RepairView,
} from "./anti-entropy/anti-entropy-view.ts";
export type { CircuitCounts, PeerView } from "./circuits/peer-view.ts";
export type { CoordinationTuning } from "./coordinator/coordination-tuning.ts";
export type { HeldKey, HeldLike, HeldOutcome, HeldQuery } from "./find/held-query.ts";
export { loadDocument, type LoadedDocument } from "./formation/durable-identity.ts";
export { type DebtKind, debtKinds } from "./handoff/debt.ts";
export type { HandoffCounts } from "./handoff/handoff-counts.ts";
export type { DebtView, HandoffEvent, HandoffView } from "./handoff/handoff-view.ts";
export type { GuestUpdate, HoldOutcome, Minter } from "./hints/guest-update.ts";
export {
  HintBook,
  type HintBookParts,
  type HintStatistics,
  type HintsHeld,
  type HintsLost,
  type OpenBookOutcome,
} from "./hints/hint-book.ts";
export { type Ending, endAs } from "./ending.ts";
export { HotKeys, hotKeysMax } from "./hot/hot-keys.ts";
export type { HotKey, HotTable, HotTables, HotView } from "./hot/hot-view.ts";
export {
  type ConvergenceCounts,
  type MembershipView,
  convergenceBounds,
} from "./membership/member-watch.ts";
export type * from "./messages.ts";
export type { ReapingBlocker, ReapingView } from "./reaping/reaper.ts";
export type { MoveCounts, MoveProblem, MovesView } from "./moves/moves-view.ts";
export type { NodeApi, NodeStatistics } from "./node-api.ts";
export type { NodeEvent, RejoinEvent, TopologyEvent } from "./node-event.ts";
export { type NodeCounters, type SiblingCounts, siblingBounds } from "./node-counters.ts";
export { CoterieNode } from "./node.ts";
export type {
  AntiEntropySettings,
  HandoffSettings,
  NodeConfig,
  NodePorts,
  ReapingSettings,
  StartOutcome,
} from "./node-config.ts";
export type {
  Acks,
  BucketOutcome,
  ExplainedReplica,
  Explanation,
  Failure,
  GetOutcome,
  PutInput,
  ReplicaAnswer,
  RequestOptions,
  ScanItem,
  ScanOptions,
  ScanOutcome,
  WriteOutcome,
} from "./requests.ts";
export type { Absence, PlanView, PlannedLoad } from "./topology/plan-view.ts";
export type { ForcingOrder, ForcingOutcome } from "./topology/forcing-order.ts";
export type { AskedChange } from "./topology/resolve-change.ts";
export type { CommitOutcome, Commitment, PlanOutcome, Topology } from "./topology/topology.ts";
export type { FinalizeOutcome, MemberLevels, UpgradeView } from "./topology/upgrade.ts";
export type { TopologyFailure } from "./topology/topology-failure.ts";
export type { TopologyMember, TopologyView } from "./topology/topology-view.ts";
export type { Offer } from "./formation/offer-book.ts";
