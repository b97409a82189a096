import type { MonotonicMs } from "@coterie/ports";
import type { StoredRecord } from "@coterie/storage";
import type { Acks, Failure } from "../requests.ts";

/** What a quorum of replicas holds of a key: a read before it is dressed for a client. */
export type QuorumRead = QuorumAnswer | Failure;

export interface QuorumAnswer {
  readonly ok: true;
  /** `undefined` if no replica that answered has ever held the key. */
  readonly stored: StoredRecord | undefined;
  readonly acks: Acks;
  /** When its replicas began to be asked. */
  readonly beganMs: MonotonicMs;
  /** Its context as clients get it, once it was asked for: gets that share a read share it. */
  shownContext?: string | undefined;
}
