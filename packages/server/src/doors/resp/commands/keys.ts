import { type RespReply, isRespError, respStatus } from "@coterie/protocol";
import { type Command, commandGroup } from "../command.ts";
import type { HeldValue } from "../key-lanes.ts";
import { forEachKey, readKey, readKeys } from "../reading.ts";
import type { RespCall } from "../resp-call.ts";

const many = [1, -1, 1] as const;
const one = [1, 1, 1] as const;

/** Keys, whatever they hold. */
export const keyCommands: readonly Command<RespCall>[] = commandGroup("generic", [
  {
    name: "del",
    arity: -2,
    flags: "write",
    keys: many,
    since: "1.0.0",
    summary: "Deletes keys, each by itself",
    usage: "key ...",
    run: deleteKeys,
  },
  {
    name: "unlink",
    arity: -2,
    flags: "write fast",
    keys: many,
    since: "4.0.0",
    summary: "Deletes keys, as DEL does",
    usage: "key ...",
    run: deleteKeys,
  },
  {
    name: "exists",
    arity: -2,
    flags: "readonly fast",
    keys: many,
    since: "1.0.0",
    summary: "How many of the keys hold a value; one that is named twice counts twice",
    usage: "key ...",
    run: countKeys,
  },
  {
    name: "touch",
    arity: -2,
    flags: "readonly fast",
    keys: many,
    since: "3.2.1",
    summary: "How many of the keys hold a value, as EXISTS does",
    usage: "key ...",
    run: countKeys,
  },
  {
    name: "type",
    arity: 2,
    flags: "readonly fast",
    keys: one,
    since: "1.0.0",
    summary: "What a key holds: string, or none",
    usage: "key",
    run: (call) => readKey(call, (held) => respStatus(held === undefined ? "none" : "string")),
  },
]);

function deleteKeys(call: RespCall): void {
  const { lanes } = call.service;
  void forEachKey(call.words.slice(1), (key, settle) =>
    lanes.change(
      key,
      (held) => (held === undefined ? { reply: 0 } : { reply: 1, next: "deleted" }),
      call.hold,
      settle,
    ),
  ).then((replies) => call.settle(sumOf(replies)));
}

function countKeys(call: RespCall): void {
  void readKeys(call, call.words.slice(1), isThere).then((replies) => call.settle(sumOf(replies)));
}

function isThere(held: HeldValue | undefined): RespReply {
  return held === undefined ? 0 : 1;
}

/** The sum of numbers, or the first error among them. */
function sumOf(replies: readonly RespReply[]): RespReply {
  return (
    replies.find(isRespError) ?? replies.reduce<number>((sum, reply) => sum + Number(reply), 0)
  );
}
