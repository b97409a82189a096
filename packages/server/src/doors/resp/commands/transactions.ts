import { equalBytes } from "@coterie/core";
import type { RespReply } from "@coterie/protocol";
import { type Command, commandGroup } from "../command.ts";
import type { LaneHold } from "../key-lanes.ts";
import { RespCall } from "../resp-call.ts";
import { Transaction } from "../transaction.ts";

/** MULTI and EXEC: commands carried out one after the other, and not isolated from others. */
export const transactionCommands: readonly Command<RespCall>[] = commandGroup("transactions", [
  {
    name: "multi",
    arity: 1,
    flags: "noscript loading stale fast",
    since: "1.2.0",
    summary: "Queues the commands that follow",
    run: begin,
  },
  {
    name: "exec",
    arity: 1,
    flags: "noscript loading stale",
    order: "alone",
    since: "1.2.0",
    summary: "Carries out what was queued, one after the other",
    run: execute,
  },
  {
    name: "discard",
    arity: 1,
    flags: "noscript loading stale fast",
    since: "2.0.0",
    summary: "Forgets what was queued",
    run: discard,
  },
  {
    name: "watch",
    arity: -2,
    flags: "noscript loading stale fast",
    keys: [1, -1, 1],
    since: "2.2.0",
    summary: "Lets the next EXEC fail if this key changes: one key, not several",
    usage: "key ...",
    run: watch,
  },
  {
    name: "unwatch",
    arity: 1,
    flags: "noscript loading stale fast",
    since: "2.2.0",
    summary: "Forgets the key that was watched",
    run: (call) => {
      call.session.watched = undefined;
      call.succeed();
    },
  },
]);

function begin(call: RespCall): void {
  const { session, service } = call;
  if (session.transaction !== undefined) return call.refuse("ERR MULTI calls can not be nested");
  session.transaction = new Transaction(service.tuning.commandBytesMax);
  call.succeed();
}

function discard(call: RespCall): void {
  const { session } = call;
  if (session.transaction === undefined) return call.refuse("ERR DISCARD without MULTI");
  session.transaction = undefined;
  session.watched = undefined;
  call.succeed();
}

function watch(call: RespCall): void {
  const { session, service, words } = call;
  if (session.transaction !== undefined)
    return call.refuse("ERR WATCH inside MULTI is not allowed");
  const key = call.word(1);
  const isOther = session.watched !== undefined && !equalBytes(session.watched.key, key);
  if (words.length > 2 || isOther) {
    return call.refuse(
      "ERR WATCH takes one key here, and one at a time: nothing can be checked of several keys " +
        "at once. UNWATCH before another, or keep in one value what must change together",
    );
  }
  if (session.watched !== undefined) return call.succeed();
  service.lanes.stateOf(key).then(
    (state) => {
      if (!state.ok) return call.settle(state.reply);
      session.watched = { key, state: state.state };
      call.succeed();
    },
    (error: unknown) => call.settle(service.defect(error)),
  );
}

function execute(call: RespCall): void {
  const { session, service } = call;
  const { transaction, watched } = session;
  if (transaction === undefined) return call.refuse("ERR EXEC without MULTI");
  session.transaction = undefined;
  session.watched = undefined;
  if (transaction.isBroken) {
    return call.refuse("EXECABORT Transaction discarded because of previous errors.");
  }
  if (watched === undefined) return new Execution(call, transaction, undefined).run();
  service.lanes.hold(watched.key, (hold) => {
    service.lanes.stateOf(watched.key).then(
      (state) => {
        if (state.ok && state.state === watched.state) {
          return new Execution(call, transaction, hold).run();
        }
        hold.release();
        call.settle(state.ok ? { kind: "null-array" } : state.reply);
      },
      (error: unknown) => {
        hold.release();
        call.settle(service.defect(error));
      },
    );
  });
}

/** The commands of a transaction, one after the other. */
class Execution {
  readonly #call: RespCall;
  readonly #transaction: Transaction;
  readonly #hold: LaneHold | undefined;
  readonly #replies: RespReply[] = [];
  #isStarting = false;
  #hasSettled = false;

  constructor(call: RespCall, transaction: Transaction, hold: LaneHold | undefined) {
    this.#call = call;
    this.#transaction = transaction;
    this.#hold = hold;
  }

  /** A loop where commands settle at once: ten thousand of them must not nest. */
  run(): void {
    const { commands } = this.#transaction;
    while (this.#replies.length < commands.length) {
      this.#hasSettled = false;
      this.#isStarting = true;
      this.#begin(this.#replies.length);
      this.#isStarting = false;
      if (!this.#hasSettled) return;
    }
    this.#hold?.release();
    this.#call.settle(this.#replies);
  }

  settled({ reply = null }: RespCall): void {
    this.#replies.push(reply);
    this.#hasSettled = true;
    if (!this.#isStarting) this.run();
  }

  #begin(at: number): void {
    const queued = this.#transaction.commands[at];
    if (queued === undefined) return;
    // It was queued by this door, whose commands all take its calls.
    const command = queued.command as Command<RespCall>;
    const call = new RespCall(this, this.#call, command, queued.words);
    call.hold = this.#hold;
    try {
      command.run(call);
    } catch (error) {
      call.settle(this.#call.service.defect(error));
    }
  }
}
