import type {
  Announcement,
  Ballot,
  Digest,
  Fence,
  Levels,
  MembershipMessage,
  NodeId,
  RequestMode,
  RingStamp,
  Token,
  TreeDifference,
  TreeEntry,
  TreeQuestion,
  WriteId,
} from "@coterie/core";
import type { RecordVersion } from "@coterie/storage";
import type { HotTables } from "./hot/hot-view.ts";

export type { Announcement, HeardMember, RingStamp } from "@coterie/core";

/** What nodes ask of each other. Byte arrays are not to be changed after they were handed over. */
export type PeerRequest =
  | DataRequest
  | DocumentRequest
  | AnnounceRequest
  | AskLevelsRequest
  | MembershipRequest;

/** About keys; says by which document the sender goes. */
export type DataRequest =
  | MergeRequest
  | ReadRequest
  | FindRequest
  | ListRequest
  | CompareRequest
  | LookRequest
  | HintRequest
  | ReadHintRequest
  | ForwardedPut
  | ForwardedDelete
  | FetchRequest
  | MergeAllRequest
  | RaiseFenceRequest
  | ReapRequest
  | AskFencesRequest
  | AskHotKeysRequest;

/** About the cluster document (docs/internals/agreement.md). */
export type DocumentRequest = PrepareRequest | AcceptRequest | TellRequest | AskRequest;

/** Merge this encoded record, which carries its key, into the copy held; reply when durable. */
export interface MergeRequest {
  readonly kind: "merge";
  readonly stamp: RingStamp;
  /** What whoever read the record had raised in its partition by then. */
  readonly fence: number;
  readonly record: Uint8Array;
}

export interface ReadRequest {
  readonly kind: "read";
  readonly stamp: RingStamp;
  readonly bucket: string;
  readonly key: Uint8Array;
  /** Of a record like this the version is answer enough. Builds that do not know it send it all. */
  readonly spared?: SparedRecord | undefined;
}

/** The record with this digest and exactly so many bytes; without a digest, any with more bytes. */
export interface SparedRecord {
  readonly digest: Digest | undefined;
  readonly bytes: number;
}

/** All records under one token: for repair after damage, when the key itself may be lost. */
export interface FindRequest {
  readonly kind: "find";
  readonly stamp: RingStamp;
  readonly partition: number;
  readonly token: Token;
  /** Asks for whatever is left where something may have been lost, instead of `unknown`. */
  readonly evenIfDamaged: boolean;
}

/** Up to `limit` tokens and digests of a partition, in token order after `after`. */
export interface ListRequest {
  readonly kind: "list";
  readonly stamp: RingStamp;
  readonly partition: number;
  readonly after: Token | undefined;
  readonly limit: number;
  /** Asks for what is left where keys that nobody can name may be lost, instead of `unknown`. */
  readonly evenIfDamaged: boolean;
  /** Leaves out what is known to hold nothing: tombstones, and values that are spent. */
  readonly skipsEmpty: boolean;
}

/** Anti-entropy: compare what the two of us share with what you hold; see `core/merkle`. */
export interface CompareRequest {
  readonly kind: "compare";
  readonly stamp: RingStamp;
  /** Who asks: which partitions both share says which tree it is. */
  readonly sender: NodeId;
  readonly questions: readonly TreeQuestion[];
}

/** Anti-entropy: the digests under these tokens, as they are now; none where nothing is held. */
export interface LookRequest {
  readonly kind: "look";
  readonly stamp: RingStamp;
  readonly sender: NodeId;
  readonly tokens: readonly Token[];
}

/** Anti-entropy: the records under these tokens, or under the first of them. */
export interface FetchRequest {
  readonly kind: "fetch";
  readonly stamp: RingStamp;
  readonly tokens: readonly Token[];
  /** Of records that are wanted at once; one token's are answered whatever they take. */
  readonly bytesMax: number;
}

/** Anti-entropy: as many merges, answered when all of them are durable. */
export interface MergeAllRequest {
  readonly kind: "merge-all";
  readonly stamp: RingStamp;
  readonly records: readonly SentRecord[];
}

/** An encoded record, which carries its key. */
export interface SentRecord {
  readonly record: Uint8Array;
  /** What whoever read it had raised in its partition by then. */
  readonly fence: number;
}

/**
 * To a fallback of the key: merge this encoded record into what you hold for `target`, a primary of
 * the key that is out of reach; reply `merged` when it is durable.
 */
export interface HintRequest {
  readonly kind: "hint";
  readonly stamp: RingStamp;
  readonly target: NodeId;
  /** As in a {@link MergeRequest}. */
  readonly fence: number;
  readonly record: Uint8Array;
}

/** To a fallback of the key: what you hold of it for primaries out of reach, merged. */
export interface ReadHintRequest {
  readonly kind: "read-hint";
  readonly stamp: RingStamp;
  readonly bucket: string;
  readonly key: Uint8Array;
}

export interface ForwardedPut {
  readonly kind: "put";
  readonly stamp: RingStamp;
  readonly bucket: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly contentType: string;
  /** As the client sent it; the coordinating primary checks it. */
  readonly context: string | undefined;
  readonly writeId: WriteId | undefined;
  readonly w: number;
  readonly pw: number;
  readonly mode: RequestMode;
  readonly returnBody: boolean;
  /** At most one of them. */
  readonly ttlMs: number | undefined;
  readonly expiresAtMs: number | undefined;
}

export interface ForwardedDelete {
  readonly kind: "delete";
  readonly stamp: RingStamp;
  readonly bucket: string;
  readonly key: Uint8Array;
  readonly context: string;
  readonly w: number;
  readonly pw: number;
  readonly mode: RequestMode;
}

/**
 * Reaping: raise the fence of a partition to this number, and say which of these tombstones you do
 * not hold exactly so (docs/internals/reaping.md).
 */
export interface RaiseFenceRequest {
  readonly kind: "raise-fence";
  readonly stamp: RingStamp;
  readonly partition: number;
  readonly fence: number;
  /** Under which number the sender has reaped. */
  readonly reaped: number;
  readonly entries: readonly ListedEntry[];
}

/**
 * Reaping: all members have raised their fences to this number; forget these tombstones, and cut
 * the clocks of those records.
 */
export interface ReapRequest {
  readonly kind: "reap";
  readonly stamp: RingStamp;
  readonly partition: number;
  readonly fence: number;
  readonly entries: readonly ListedEntry[];
  readonly cuts: readonly ListedEntry[];
}

/** Reaping: which fences have you? */
export interface AskFencesRequest {
  readonly kind: "ask-fences";
  readonly stamp: RingStamp;
}

/** Which keys do clients ask you for most? */
export interface AskHotKeysRequest {
  readonly kind: "ask-hot-keys";
  readonly stamp: RingStamp;
}

/** Formation: what the sender says of itself, and of its settings. */
export interface AnnounceRequest {
  readonly kind: "announce";
  readonly announcement: Announcement;
}

/** Agreement: promise to accept nothing below this ballot. */
export interface PrepareRequest {
  readonly kind: "prepare";
  readonly clusterId: string;
  /** Of the document that the proposer goes by: one that is behind is shown a newer one first. */
  readonly epoch: number;
  readonly ballot: Ballot;
}

/** Agreement: accept this document as the next version. */
export interface AcceptRequest {
  readonly kind: "accept";
  readonly clusterId: string;
  readonly epoch: number;
  readonly ballot: Ballot;
  readonly document: Uint8Array;
}

/** This version of the document was chosen. */
export interface TellRequest {
  readonly kind: "tell";
  readonly document: Uint8Array;
}

/** Asks for the document of the cluster, if it is newer than the sender's. */
export interface AskRequest {
  readonly kind: "ask";
  readonly clusterId: string;
  /** 0 from a member that has none yet. */
  readonly epoch: number;
}

/** How members are; understood whatever epoch the sender goes by. */
export interface MembershipRequest {
  readonly kind: "membership";
  /** CRC32C of the cluster's id. */
  readonly cluster: number;
  readonly message: MembershipMessage;
}

/** Which levels does the receiver speak? Understood before it is a member. */
export interface AskLevelsRequest {
  readonly kind: "ask-levels";
}

export type PeerResponse =
  | { readonly kind: "levels"; readonly levels: Levels }
  | { readonly kind: "merged"; readonly changed: boolean }
  | { readonly kind: "present"; readonly record: Uint8Array; readonly fence: Fence }
  /** In place of `present`: the read spared this record. */
  | VersionResponse
  | { readonly kind: "absent"; readonly fence: Fence }
  /** Damaged or not yet refilled: not an answer. */
  | { readonly kind: "unknown" }
  | { readonly kind: "found"; readonly records: readonly Uint8Array[]; readonly fence: Fence }
  | { readonly kind: "listed"; readonly entries: readonly ListedEntry[] }
  | { readonly kind: "compared"; readonly differences: readonly TreeDifference[] }
  | LookedResponse
  | FetchedResponse
  | MergedAllResponse
  | WrittenResponse
  | { readonly kind: "announced"; readonly announcement: Announcement }
  /** A ballot was promised; what was accepted last, and under which ballot. */
  | { readonly kind: "promised"; readonly ballot: Ballot; readonly document: Uint8Array }
  | { readonly kind: "accepted" }
  /** This higher ballot was promised already. */
  | { readonly kind: "outbid"; readonly ballot: Ballot }
  | DocumentResponse
  /** What the receiver has to say to the sender at once; nothing, perhaps. */
  | { readonly kind: "membership"; readonly messages: readonly MembershipMessage[] }
  | FenceRaisedResponse
  | { readonly kind: "reaped" }
  | FencesResponse
  | HotKeysResponse
  | RefusedResponse;

/** Which record is held durably, and not known to be damaged. */
export interface VersionResponse extends RecordVersion {
  readonly kind: "version";
  readonly fence: Fence;
}

/** What is held under the tokens of a {@link LookRequest}, in their order. */
export interface LookedResponse {
  readonly kind: "looked";
  readonly entries: readonly LookedEntry[];
}

export interface LookedEntry extends ListedEntry {
  /** Records are read fastest in the order of these numbers. */
  readonly place: number;
}

export interface FetchedResponse {
  readonly kind: "fetched";
  /** Of so many tokens of the request, from the first one on, these are the records. */
  readonly tokens: number;
  readonly records: readonly SentRecord[];
}

export interface MergedAllResponse {
  readonly kind: "merged-all";
  /** Of each record of the request. */
  readonly outcomes: readonly RecordOutcome[];
}

/** Whether a record changed what was held, or why it was not stored. */
export type RecordOutcome = "changed" | "unchanged" | PeerRefusal;

/** What clients ask a node for. */
export interface HotKeysResponse extends HotTables {
  readonly kind: "hot-keys";
}

/** What a member says of all its fences. */
export interface FencesResponse {
  readonly kind: "fences";
  /** By partition. */
  readonly fences: readonly Fence[];
  /** It knows of nothing that it has lost. */
  readonly isWhole: boolean;
}

/** Whether a member has taken part in raising a fence, and what it lacks. */
export interface FenceRaisedResponse {
  readonly kind: "fence-raised";
  readonly fence: Fence;
  /** Why nothing may be reaped under that number. */
  readonly problem: RaiseProblem | undefined;
  /** Places, in the list of the request, of what this member does not hold exactly so. */
  readonly lacking: readonly number[];
}

/**
 * `outdone`: the number was raised here before. `behind`: this member is refilled first. `hints`:
 * it holds records of the partition for others. `damaged`: it does not know what it lacks, or has
 * not dropped yet what it had of a partition that went to others. `disk`: it could not store the
 * number.
 */
export type RaiseProblem = "outdone" | "behind" | "hints" | "damaged" | "disk";

/** Which version the sender goes by. */
export interface DocumentResponse {
  readonly kind: "document";
  readonly epoch: number;
  /** That version, where the other one is behind. */
  readonly document: Uint8Array | undefined;
}

export type ListedEntry = TreeEntry;

/** A forwarded write succeeded. */
export interface WrittenResponse {
  readonly kind: "written";
  readonly context: string | undefined;
  readonly siblings: number;
  readonly primaries: number;
  readonly fallbacks: number;
  /** The record after the write, if the request asked for it. */
  readonly record: Uint8Array | undefined;
}

/** The request was understood and not carried out, or (`unknown`) not to the end. */
export interface RefusedResponse {
  readonly kind: "refused";
  readonly code: PeerRefusal;
  readonly outcome: "refused" | "unknown";
  readonly message: string;
  /** Who had acknowledged a forwarded write, by kind. */
  readonly primaries: number;
  readonly fallbacks: number;
}

export type PeerRefusal =
  | "stale-epoch"
  | "other-cluster"
  | "not-owner"
  | "not-ready"
  | "shutting-down"
  | "overloaded"
  | "disk-full"
  | "malformed"
  | "clock-skew"
  | "expired"
  | "bad-context"
  | "no-such-bucket"
  | "too-many-siblings"
  | "too-many-actors"
  | "too-large"
  | "quorum-not-met"
  | "timeout"
  | "internal"
  /** About a hint: the receiver is a primary of the key itself, or the target is none. */
  | "not-fallback"
  /** The fallback holds as many bytes of hints as it may. */
  | "hints-full"
  /** The record was read before something was reaped here. */
  | "behind-fence";
