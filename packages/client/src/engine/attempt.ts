import type { KvDelete, KvGet, KvPut, KvReply, KvScan } from "@coterie/protocol";

/** A request as it is sent: how long the node may take is set when it leaves. */
export type TimedRequest =
  | ((KvGet | KvPut | KvDelete) & { timeoutMs: number | undefined })
  | KvScan;

/** One sending of one call to one node. Exactly one of its three ends is told, unless cancelled. */
export interface Attempt {
  readonly request: TimedRequest;
  /** About its encoded size. */
  readonly bytes: number;
  /** The call's: the node is told what is left of it. */
  readonly deadlineMs: number;
  /** 0 until it is handed to a stream. */
  id: number;
  isCancelled: boolean;
  /** The node answered; `undefined` if what it said is not understood. */
  replied(reply: KvReply | undefined): void;
  /** It surely never left this process. */
  unsent(reason: string): void;
  /** It may or may not have been carried out. */
  lost(reason: string): void;
}
