import type { RespVersion } from "@coterie/protocol";
import type { Transaction } from "./transaction.ts";

/** What a session needs of the connection that it belongs to. */
export interface SessionLink {
  /** `host:port` of the client. */
  readonly address: string;
  /** `host:port` of the door as the client reached it. */
  readonly localAddress: string;
  /** Bytes of replies that the client has not taken. */
  readonly unreadBytes: number;
  /** Bytes of a command that has not come whole. */
  readonly heldBytes: number;
  /** Closes it when what was asked so far is answered. */
  endAfterReplies(): void;
  /** Closes it at once. */
  destroy(): void;
}

/** What a client has said of itself and of how it wants to be answered. */
export class RespSession {
  readonly link: SessionLink;
  readonly id: number;
  readonly createdAtMs: number;
  version: RespVersion = 2;
  name = "";
  libraryName = "";
  libraryVersion = "";
  /** The name of its last command, and when that came. */
  lastCommand = "NULL";
  lastCommandMs: number;
  /** CLIENT REPLY: `skip` is for the command after it alone. */
  replies: "on" | "off" | "skip" = "on";
  /** Set by CLIENT NO-EVICT and NO-TOUCH, which change nothing here. */
  isNoEvict = false;
  isNoTouch = false;
  /** Between MULTI and EXEC. */
  transaction: Transaction | undefined;
  /** The key that the next EXEC depends on, and what it held. */
  watched: WatchedKey | undefined;

  constructor(link: SessionLink, id: number, nowMs: number) {
    this.link = link;
    this.id = id;
    this.createdAtMs = nowMs;
    this.lastCommandMs = this.createdAtMs;
  }

  /** Forgets all that the client has said, as a new connection. */
  reset(): void {
    this.version = 2;
    this.name = "";
    this.replies = "on";
    this.isNoEvict = false;
    this.isNoTouch = false;
    this.transaction = undefined;
    this.watched = undefined;
  }
}

/** A key under WATCH, and what told its content then. */
export interface WatchedKey {
  readonly key: Uint8Array;
  readonly state: string;
}
