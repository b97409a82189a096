import type { Failure, NodeApi, WriteOutcome } from "@coterie/cluster";
import { type Sibling, forever, latin1 } from "@coterie/core";
import type { RespReply } from "@coterie/protocol";
import { dotText } from "../dot-text.ts";
import { failureReply } from "./failure-reply.ts";

/** What a key holds, as this door shows it. */
export interface HeldValue {
  readonly value: Uint8Array;
  /** Wall time from which on it is gone; `undefined`: it stays. */
  readonly expiresAtMs: number | undefined;
}

/** What a command writes. */
export interface NextValue {
  readonly value: Uint8Array;
  /** Wall time from which on it is gone; `undefined`: as the bucket says. */
  readonly expiresAtMs: number | "never" | undefined;
}

/** The deadline of a value that takes the place of another one, and keeps what that one had. */
export function keptDeadline(held: HeldValue | undefined): NextValue["expiresAtMs"] {
  return held === undefined ? undefined : (held.expiresAtMs ?? "never");
}

/** What a bucket of policy `lww` shows of a key. */
export function heldOf([shown]: readonly Sibling[]): HeldValue | undefined {
  return shown;
}

/** What a change makes of a key. */
export interface Changed {
  /** If it comes to pass. */
  readonly reply: RespReply;
  /** What the key holds afterwards; left out, nothing is written. */
  readonly next?: NextValue | "deleted";
}

/** A command that writes depending on what is there: a pure function of that. */
export type Change = (held: HeldValue | undefined) => Changed;

type Settle = (reply: RespReply) => void;

interface Waiting {
  readonly change: Change;
  readonly settle: Settle;
}

/** A key that one client has for itself at this node, until it is released. */
export interface LaneHold {
  readonly name: string;
  release(): void;
}

export type KeyState =
  | {
      readonly ok: true;
      /** Differs whenever something was written in between; empty if the key holds nothing. */
      readonly state: string;
    }
  | { readonly ok: false; readonly reply: RespReply };

/** The writes of one key that are under way. */
interface Lane {
  /** Plain writes, which depend on nothing. */
  plain: number;
  isChanging: boolean;
  /** Changes, and clients that want the key for themselves, in the order in which they came. */
  waiting: (Waiting | (() => void))[];
}

/**
 * Orders the writes of each key within this node, so that to its clients each of them looks
 * atomic. Plain writes run side by side; changes run when no other write does, and all that have
 * come meanwhile share one read and one write. Nodes do not know of each other's lanes.
 */
export class KeyLanes {
  readonly #node: NodeApi;
  readonly #bucket: string;
  /** When a value expires that is written now and leaves that to the bucket. */
  readonly #defaultDeadline: () => number | undefined;
  readonly #onDefect: (error: unknown) => RespReply;
  readonly #lanes = new Map<string, Lane>();

  constructor(
    node: NodeApi,
    bucket: string,
    given: {
      readonly defaultDeadline: () => number | undefined;
      readonly onDefect: (error: unknown) => RespReply;
    },
  ) {
    this.#node = node;
    this.#bucket = bucket;
    this.#defaultDeadline = given.defaultDeadline;
    this.#onDefect = given.onDefect;
  }

  /** Writes a value over whatever is there. */
  put(
    key: Uint8Array,
    next: NextValue,
    reply: RespReply,
    hold: LaneHold | undefined,
    settle: Settle,
  ): void {
    const name = latin1(key);
    if (hold?.name === name) return this.change(key, () => ({ reply, next }), hold, settle);
    const lane = this.#laneOf(name);
    if (lane.isChanging || lane.waiting.length > 0) {
      lane.waiting.push({ change: () => ({ reply, next }), settle });
      return;
    }
    lane.plain += 1;
    const finish = (answer: RespReply): void => {
      lane.plain -= 1;
      settle(answer);
      this.#goOn(name, key, lane);
    };
    this.#write(key, next, undefined).then(
      (outcome) => finish(outcome.ok ? reply : failureReply(outcome)),
      (error: unknown) => finish(this.#onDefect(error)),
    );
  }

  /** Reads a key, and writes what `change` makes of it. */
  change(key: Uint8Array, change: Change, hold: LaneHold | undefined, settle: Settle): void {
    const name = latin1(key);
    if (hold?.name === name) return this.#changeHeld(key, { change, settle });
    const lane = this.#laneOf(name);
    lane.waiting.push({ change, settle });
    this.#goOn(name, key, lane);
  }

  /** Calls `run` when nobody at this node writes the key; until its release nobody else will. */
  hold(key: Uint8Array, run: (hold: LaneHold) => void): void {
    const name = latin1(key);
    const lane = this.#laneOf(name);
    const release = (): void => {
      lane.isChanging = false;
      this.#goOn(name, key, lane);
    };
    lane.waiting.push(() => run({ name, release }));
    this.#goOn(name, key, lane);
  }

  /** What tells one content of a key from another. */
  async stateOf(key: Uint8Array): Promise<KeyState> {
    const read = await this.#node.get({ bucket: this.#bucket, key }, {});
    if (!read.ok) return { ok: false, reply: failureReply(read) };
    return { ok: true, state: read.siblings.map(dotText).join() };
  }

  /** A change by the client that holds the key. */
  #changeHeld(key: Uint8Array, waiting: Waiting): void {
    this.#carryOut(key, [waiting]).then(
      ([reply]) => waiting.settle(reply as RespReply),
      (error: unknown) => waiting.settle(this.#onDefect(error)),
    );
  }

  #laneOf(name: string): Lane {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const lane = { plain: 0, isChanging: false, waiting: [] };
    this.#lanes.set(name, lane);
    return lane;
  }

  #goOn(name: string, key: Uint8Array, lane: Lane): void {
    if (lane.plain > 0 || lane.isChanging) return;
    if (lane.waiting.length === 0) {
      if (this.#lanes.get(name) === lane) this.#lanes.delete(name);
      return;
    }
    lane.isChanging = true;
    const [first] = lane.waiting;
    if (typeof first === "function") {
      lane.waiting.shift();
      return first();
    }
    const batch = takeChanges(lane);
    const finish = (replies: readonly RespReply[]): void => {
      lane.isChanging = false;
      for (const [at, { settle }] of batch.entries()) settle(replies[at] as RespReply);
      this.#goOn(name, key, lane);
    };
    this.#carryOut(key, batch).then(finish, (error: unknown) => {
      const reply = this.#onDefect(error);
      finish(batch.map(() => reply));
    });
  }

  async #carryOut(key: Uint8Array, batch: readonly Waiting[]): Promise<readonly RespReply[]> {
    const read = await this.#node.get({ bucket: this.#bucket, key }, {});
    if (!read.ok) return batch.map(() => failureReply(read));
    const before = heldOf(read.siblings);
    let held = before;
    let firstWrite = batch.length;
    const replies = batch.map(({ change }, at) => {
      const { reply, next } = change(held);
      if (next === undefined) return reply;
      held = next === "deleted" ? undefined : this.#heldAfter(next);
      firstWrite = Math.min(firstWrite, at);
      return reply;
    });
    if (firstWrite === batch.length || (held === undefined && before === undefined)) return replies;
    const next = held && { value: held.value, expiresAtMs: keptDeadline(held) };
    const written = await this.#write(key, next, read.context);
    if (written.ok) return replies;
    // What was answered by what was read stands; what counts on the write has failed with it.
    return replies.map((reply, at) => (at < firstWrite ? reply : failureReply(written)));
  }

  /** What the changes after this one find. */
  #heldAfter({ value, expiresAtMs = this.#defaultDeadline() }: NextValue): HeldValue {
    return { value, expiresAtMs: expiresAtMs === "never" ? undefined : expiresAtMs };
  }

  #write(
    key: Uint8Array,
    next: NextValue | undefined,
    context: string | undefined,
  ): Promise<WriteOutcome | Failure> {
    const place = { bucket: this.#bucket, key };
    if (next === undefined) return this.#node.delete(place, context, {});
    const { value, expiresAtMs } = next;
    const input = {
      value,
      ttlMs: expiresAtMs === "never" ? forever : undefined,
      expiresAtMs: expiresAtMs === "never" ? undefined : expiresAtMs,
      contentType: "",
      context,
      writeId: undefined,
      returnBody: false,
      withoutContext: true,
      ifAbsent: false,
    };
    return this.#node.put(place, input, {});
  }
}

/** The changes up to the first client that wants the key for itself. */
function takeChanges(lane: Lane): readonly Waiting[] {
  const end = lane.waiting.findIndex((waiting) => typeof waiting === "function");
  const taken = lane.waiting.splice(0, end < 0 ? lane.waiting.length : end);
  return taken.filter((waiting) => typeof waiting !== "function");
}
