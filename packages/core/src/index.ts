export {
  type Levels,
  levelsOfBuild,
  levelsText,
  levelsUnsaid,
  problemWithLevel,
  sharedLevel,
} from "./levels.ts";
export { levelOf, raiseLevel } from "./ring/raise-level.ts";
export {
  type AcceptReply,
  type AcceptorState,
  type AcceptorStep,
  type PrepareReply,
  type Vote,
  accept,
  prepare,
} from "./agreement/acceptor.ts";
export {
  type Ballot,
  ballotAbove,
  ballotZero,
  compareBallots,
  roundMax,
} from "./agreement/ballot.ts";
export { Proposal, type ProposalInput, type ProposalPhase } from "./agreement/proposal.ts";
export {
  type DecodedRegister,
  decodeRegister,
  encodeRegister,
} from "./agreement/register-codec.ts";
export {
  differingSettings,
  directoryDifferences,
  settingsDifferences,
} from "./ring/settings-differences.ts";
export { compareBytes, equalBytes } from "./bytes/compare.ts";
export { crc32c } from "./bytes/crc32c.ts";
export { type Digest, digest64 } from "./bytes/digest.ts";
export { classIn, withClass } from "./merkle/copies-class.ts";
export { Descent, type DifferingToken } from "./merkle/descent.ts";
export { type TokenDifference, differingTokens } from "./merkle/differing-tokens.ts";
export { type RangeDigest, emptyRange, equalDigests, joinRanges } from "./merkle/range-digest.ts";
export {
  type TokenSpan,
  type TokenStretch,
  type TreeNode,
  partitionNode,
  rootNode,
} from "./merkle/tree-node.ts";
export {
  type TreeDifference,
  type TreeQuestion,
  answer,
  isAnswerable,
  listedMax,
  questionsMax,
} from "./merkle/tree-question.ts";
export { waitFor } from "./merkle/tree-source.ts";
export type { EntryPage, InTurns, TreeEntry, TreeSource } from "./merkle/tree-source.ts";
export { ByteReader } from "./bytes/reader.ts";
export { Slab } from "./bytes/slab.ts";
export { base64url, fromBase64url, hex, latin1, utf8, writeHex } from "./bytes/text.ts";
export { decodeUtf8 } from "./bytes/utf8-decode.ts";
export { ByteWriter } from "./bytes/writer.ts";
export {
  type CausalContext,
  type DecodedContext,
  decodeContext,
  encodeContext,
} from "./causality/context.ts";
export { ContextSeal, type Sha256 } from "./causality/context-seal.ts";
export { cutClock, isWide } from "./causality/cut-clock.ts";
export { deadWritesGone } from "./causality/dead-writes-gone.ts";
export { type DeadWrite, DeadWrites } from "./causality/dead-writes.ts";
export {
  type NextDeadline,
  dropExpired,
  isExpired,
  isSpent,
  nextDeadlineMs,
  spendExpired,
  unexpiredSiblings,
} from "./causality/expiry.ts";
export {
  HybridClock,
  type HybridTime,
  compareHybridTime,
  hybridTimeZero,
} from "./causality/hybrid-clock.ts";
export { holdsWhatIsGone, mergeRecords } from "./causality/merge.ts";
export {
  type DecodedRecord,
  type KeyedRecord,
  decodeOwnRecord,
  decodeRecord,
  decodeRecordKey,
  encodeRecord,
  isRecordOf,
  isRecordWide,
  recordDeadlineMs,
  recordDigest,
} from "./causality/record-codec.ts";
export {
  type CausalRecord,
  type Sibling,
  compareDots,
  compareLatestFirst,
  emptyRecord,
  latestSibling,
} from "./causality/record.ts";
export {
  type CausalOrder,
  type Dot,
  VersionVector,
  VersionVector as VectorClock,
} from "./causality/version-vector.ts";
export {
  type AppliedPut,
  type Put,
  type PutRefusal,
  applyDelete,
  applyPut,
  contextAfterPut,
  contextOf,
} from "./causality/write.ts";
export {
  CoterieError,
  type ErrorCode,
  type ErrorRow,
  type FailureOutcome,
  errorTable,
} from "./errors.ts";
export {
  type ActorId,
  type NodeId,
  type PeerAddress,
  type WriteId,
  parseActorId,
  parseNodeId,
  parseWriteId,
} from "./ids.ts";
export { InvariantViolation, invariant } from "./invariant.ts";
export { type Key, isBucketName, keyBytesMax } from "./key.ts";
export { type Fence, noFence } from "./fence.ts";
export { type Lifetime, forever, lifetimeProblem } from "./lifetime.ts";
export { limits } from "./limits.ts";
export {
  Circuit,
  type CircuitSettings,
  type CircuitState,
  circuitDefaults,
} from "./load/circuit.ts";
export {
  type CountedKey,
  FrequentKeys,
  type FrequentKeysSettings,
  type KeyCounts,
  tokenId,
} from "./load/frequent-keys.ts";
export { HedgeBudget } from "./load/hedge-budget.ts";
export { PeerLoad } from "./load/peer-load.ts";
export { Pressure, type PressureSettings } from "./load/pressure.ts";
export { Thinning } from "./load/thinning.ts";
export {
  type KnownMember,
  Membership,
  type MembershipCounts,
  type MembershipInput,
  type MembershipOutput,
} from "./membership/membership.ts";
export type { MemberState, MemberStatus } from "./membership/member-status.ts";
export type { MembershipEvent } from "./membership/membership-event.ts";
export type { MembershipMessage, MessageBody } from "./membership/messages.ts";
export type { GossipedState, News } from "./membership/news.ts";
export {
  type MembershipSettings,
  membershipDefaults,
  membershipSettings,
} from "./membership/settings.ts";
export { type SloppyQuorum, SloppyTally, type Voter } from "./quorum/sloppy-tally.ts";
export { QuorumTally, type TallyVerdict, type VoterSet } from "./quorum/tally.ts";
export {
  type BucketCheck,
  type GivenBucket,
  type Quorum,
  type ResolvedQuorum,
  checkBucket,
  defaultBuckets,
  resolveMode,
  resolveQuorum,
  wholeBucket,
} from "./ring/bucket.ts";
export { type BucketChange, type ChangedBucket, changeBucket } from "./ring/change-bucket.ts";
export type {
  BucketSettings,
  ClusterDocument,
  ClusterSettings,
  Departure,
  Forcing,
  Leftover,
  Member,
  Move,
  RequestMode,
} from "./ring/cluster-document.ts";
export {
  type DecodedDocument,
  contextKeyOf,
  decodeDocument,
  documentDigest,
  encodeDocument,
  placementTag,
  settingsDigest,
} from "./ring/document-codec.ts";
export {
  type ForcedChoice,
  forceVoters,
  forcedApart,
  forcedEpochAfter,
  isForced,
  pendingForce,
} from "./ring/force-voters.ts";
export { type FormedDocument, formDocument } from "./ring/form-document.ts";
export {
  type Announcement,
  Formation,
  type FormationInput,
  type FormationState,
  type HeardMember,
} from "./ring/formation.ts";
export {
  type DirectoryChange,
  replaceDirectory,
  replacedDirectories,
} from "./ring/replace-directory.ts";
export { countsIn, ownersAfterMoves } from "./ring/owners-after-moves.ts";
export { type Owners, placeOwners } from "./ring/placement.ts";
export type { PlacementInput } from "./ring/placement-table.ts";
export { pauseMoves } from "./ring/pause-moves.ts";
export type { ReplicaPlan } from "./ring/replica-plan.ts";
export { type Holder, type PreferenceList, Ring, type RingStamp } from "./ring/ring.ts";
export { type Arrival, abortMoves, arrive, dropLeftovers } from "./ring/settle-moves.ts";
export {
  type MemberChange,
  type PlannedTopology,
  type Replacement,
  type TopologyChange,
  type TopologyRefusal,
  planHash,
  planTopology,
} from "./ring/topology.ts";
export {
  type MemberLoad,
  type Risk,
  type TopologySummary,
  type Transfer,
  summarizeTopology,
} from "./ring/topology-summary.ts";
export { votersOf } from "./ring/voters.ts";
export { redisSlotOf, redisSlots } from "./ring/redis-slot.ts";
export { type NodeSlots, type SlotRange, slotRanges, slotsByNode } from "./ring/slot-ranges.ts";
export {
  type HashSpace,
  type KeyHash,
  type PartitionId,
  type Token,
  compareTokens,
  isKeyHash,
  keyHashes,
  partitionOf,
  tokenOf,
} from "./ring/token.ts";
