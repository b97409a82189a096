import type { Failure } from "@coterie/cluster";
import {
  type RespReply,
  type RespVersion,
  isRespError,
  respError,
  respStatus,
} from "@coterie/protocol";
import { type Command, wrongArity } from "./command.ts";
import { failureReply } from "./failure-reply.ts";
import type { Change, LaneHold, NextValue } from "./key-lanes.ts";
import type { RespService } from "./resp-service.ts";
import type { RespSession } from "./resp-session.ts";

/** Who waits for a call: a connection, or a transaction. */
export interface CallOwner {
  settled(call: RespCall): void;
}

const ok: RespReply = respStatus("OK");

/** One command of a client, from when it came to its reply. */
export class RespCall {
  readonly service: RespService;
  readonly session: RespSession;
  readonly command: Command<RespCall>;
  /** The command's own words come first. */
  readonly words: readonly Uint8Array[];
  readonly sinceMs: number;
  /** In which the reply goes out. */
  version: RespVersion;
  /** Once the call is settled. */
  reply: RespReply | undefined;
  /** The keys that the connection's later commands must not touch until this is settled. */
  names: readonly string[] = [];
  /** Its client wants no reply. */
  isSilent = false;
  /** The key that its transaction has for itself. */
  hold: LaneHold | undefined;
  /** The next one of the connection. */
  next: RespCall | undefined;
  readonly #owner: CallOwner;

  constructor(
    owner: CallOwner,
    from: { readonly service: RespService; readonly session: RespSession },
    command: Command<RespCall>,
    words: readonly Uint8Array[],
  ) {
    this.#owner = owner;
    this.service = from.service;
    this.session = from.session;
    this.command = command;
    this.words = words;
    this.version = from.session.version;
    this.sinceMs = this.service.clock.monotonicMs();
  }

  /** An argument; the command's name is number 0. */
  word(at: number): Uint8Array {
    return this.words[at] as Uint8Array;
  }

  /** Gives the reply, once. */
  settle(reply: RespReply): void {
    if (this.reply !== undefined) return;
    this.reply = reply;
    this.service.observe(this.command.name, this.#outcome(), this.sinceMs);
    this.#owner.settled(this);
  }

  /** Writes a value over what is there. */
  put(key: Uint8Array, next: NextValue, reply: RespReply): void {
    this.service.lanes.put(key, next, reply, this.hold, (answer) => this.settle(answer));
  }

  /** Writes the first key of the call depending on what is there. */
  change(change: Change): void {
    this.service.lanes.change(this.word(1), change, this.hold, (answer) => this.settle(answer));
  }

  succeed(): void {
    this.settle(ok);
  }

  /** Replies with an error, whose prefix comes first. */
  refuse(text: string): undefined {
    this.settle(respError(text));
    return undefined;
  }

  refuseSyntax(): undefined {
    return this.refuse("ERR syntax error");
  }

  refuseArity(): undefined {
    return this.refuse(wrongArity(this.command.name));
  }

  /** Replies with what the node says of a request that failed. */
  fail(failure: Failure): void {
    this.settle(failureReply(failure));
  }

  /** What metrics call its end: `ok`, or the prefix of the error. */
  #outcome(): string {
    const { reply } = this;
    if (reply === undefined || !isRespError(reply)) return "ok";
    const end = reply.text.indexOf(" ");
    return end < 0 ? reply.text : reply.text.slice(0, end);
  }
}
