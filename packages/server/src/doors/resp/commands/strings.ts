import { latin1 } from "@coterie/core";
import { type RespReply, isRespError, respStatus } from "@coterie/protocol";
import { type Command, commandGroup } from "../command.ts";
import { addDecimals } from "../decimal.ts";
import { expiryUsage } from "../expiry.ts";
import { type Change, type HeldValue, keptDeadline } from "../key-lanes.ts";
import { forEachKey, readKey, readKeys } from "../reading.ts";
import type { RespCall } from "../resp-call.ts";
import { int64Of, isInt64, notInteger, safeIntegerOf } from "../words.ts";
import { set } from "./set.ts";

const ok: RespReply = respStatus("OK");
const empty = new Uint8Array(0);
const writes = "write denyoom";
const reads = "readonly fast";
const one = [1, 1, 1] as const;

/** Strings: values as they are, and what Redis does with their bytes. */
export const stringCommands: readonly Command<RespCall>[] = commandGroup("string", [
  {
    name: "get",
    arity: 2,
    flags: reads,
    keys: one,
    since: "1.0.0",
    summary: "The value of a key",
    usage: "key",
    run: (call) => readKey(call, valueOf),
  },
  {
    name: "set",
    arity: -3,
    flags: writes,
    keys: one,
    since: "1.0.0",
    summary: "Writes a value over what is there (NX, XX, GET, EX, PX, EXAT, PXAT, KEEPTTL)",
    usage: `key value [NX|XX] [GET] [${expiryUsage}|KEEPTTL]`,
    run: set,
  },
  {
    name: "mget",
    arity: -2,
    flags: reads,
    keys: [1, -1, 1],
    since: "1.0.0",
    summary: "The values of keys, each read by itself",
    usage: "key ...",
    run: mget,
  },
  {
    name: "mset",
    arity: -3,
    flags: writes,
    keys: [1, -1, 2],
    since: "1.0.1",
    summary: "Writes values, each by itself",
    usage: "key value [key value] ...",
    run: mset,
  },
  {
    name: "setnx",
    arity: 3,
    flags: `${writes} fast`,
    keys: one,
    since: "1.0.0",
    summary: "Writes a value if the key holds none",
    usage: "key value",
    run: (call) => call.change((held) => (held === undefined ? replace(call, 2, 1) : { reply: 0 })),
  },
  {
    name: "getset",
    arity: 3,
    flags: `${writes} fast`,
    keys: one,
    since: "1.0.0",
    summary: "Writes a value, and answers the one before it",
    usage: "key value",
    run: (call) => call.change((held) => replace(call, 2, held?.value ?? null)),
  },
  {
    name: "getdel",
    arity: 2,
    flags: "write fast",
    keys: one,
    since: "6.2.0",
    summary: "Deletes a key, and answers the value it held",
    usage: "key",
    run: (call) =>
      call.change((held) =>
        held === undefined ? { reply: null } : { reply: held.value, next: "deleted" },
      ),
  },
  {
    name: "append",
    arity: 3,
    flags: `${writes} fast`,
    keys: one,
    since: "2.0.0",
    summary: "Adds bytes to the end of a value",
    usage: "key value",
    run: append,
  },
  {
    name: "strlen",
    arity: 2,
    flags: reads,
    keys: one,
    since: "2.2.0",
    summary: "The bytes of a value",
    usage: "key",
    run: (call) => readKey(call, (held) => held?.value.length ?? 0),
  },
  {
    name: "getrange",
    arity: 4,
    flags: "readonly",
    keys: one,
    since: "2.4.0",
    summary: "Part of a value",
    usage: "key start end",
    run: getRange,
  },
  {
    name: "substr",
    arity: 4,
    flags: "readonly",
    keys: one,
    since: "1.0.0",
    summary: "Part of a value: an old name of GETRANGE",
    usage: "key start end",
    run: getRange,
  },
  {
    name: "setrange",
    arity: 4,
    flags: writes,
    keys: one,
    since: "2.2.0",
    summary: "Writes over part of a value",
    usage: "key offset value",
    run: setRange,
  },
  {
    name: "incr",
    arity: 2,
    flags: `${writes} fast`,
    keys: one,
    since: "1.0.0",
    summary: "Adds one to a number",
    usage: "key",
    run: (call) => increment(call, 1n),
  },
  {
    name: "decr",
    arity: 2,
    flags: `${writes} fast`,
    keys: one,
    since: "1.0.0",
    summary: "Takes one from a number",
    usage: "key",
    run: (call) => increment(call, -1n),
  },
  {
    name: "incrby",
    arity: 3,
    flags: `${writes} fast`,
    keys: one,
    since: "1.0.0",
    summary: "Adds to a number",
    usage: "key increment",
    run: (call) => increment(call, int64Of(call.word(2))),
  },
  {
    name: "decrby",
    arity: 3,
    flags: `${writes} fast`,
    keys: one,
    since: "1.0.0",
    summary: "Takes from a number",
    usage: "key decrement",
    run: decrementBy,
  },
  {
    name: "incrbyfloat",
    arity: 3,
    flags: `${writes} fast`,
    keys: one,
    since: "2.6.0",
    summary: "Adds to a decimal number",
    usage: "key increment",
    run: incrementByFloat,
  },
]);

function valueOf(held: HeldValue | undefined): RespReply {
  return held?.value ?? null;
}

/** A word of the call in the place of what is there. */
function replace(call: RespCall, at: number, reply: RespReply): ReturnType<Change> {
  return { reply, next: { value: call.word(at), expiresAtMs: undefined } };
}

function mget(call: RespCall): void {
  void readKeys(call, call.words.slice(1), valueOf).then((replies) =>
    call.settle(replies.find(isRespError) ?? replies),
  );
}

function mset(call: RespCall): void {
  const { words, service } = call;
  if (words.length % 2 === 0) return call.refuseArity();
  // Of a key that is there twice, the last value counts.
  const values = new Map<string, { readonly key: Uint8Array; readonly value: Uint8Array }>();
  for (let at = 1; at < words.length; at += 2) {
    const key = call.word(at);
    values.set(latin1(key), { key, value: call.word(at + 1) });
  }
  const pairs = [...values.values()];
  const keys = pairs.map(({ key }) => key);
  void forEachKey(keys, (key, settle, at) => {
    const value = pairs[at]?.value ?? empty;
    service.lanes.put(key, { value, expiresAtMs: undefined }, ok, call.hold, settle);
  }).then((replies) => call.settle(replies.find(isRespError) ?? ok));
}

const tooLong: RespReply = {
  kind: "error",
  text: "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
};

function append(call: RespCall): void {
  const added = call.word(2);
  const { valueBytesMax } = call.service.options;
  call.change((held) => {
    const before = held?.value ?? empty;
    const length = before.length + added.length;
    if (length > valueBytesMax) return { reply: tooLong };
    const value = new Uint8Array(length);
    value.set(before);
    value.set(added, before.length);
    return { reply: length, next: { value, expiresAtMs: keptDeadline(held) } };
  });
}

function getRange(call: RespCall): void {
  const start = int64Of(call.word(2));
  const end = int64Of(call.word(3));
  if (start === undefined || end === undefined) return call.refuse(notInteger);
  readKey(call, (held) => {
    const { length } = held?.value ?? empty;
    const from = indexIn(start, length);
    const to = indexIn(end, length);
    if (held === undefined || (start < 0n && end < 0n && start > end)) return empty;
    return from > to ? empty : held.value.subarray(Math.max(0, from), Math.max(0, to) + 1);
  });
}

/** An index from the front, or from the back if it is negative; not before the first. */
function indexIn(index: bigint, length: number): number {
  const from = index < 0n ? index + BigInt(length) : index;
  if (from < 0n) return 0;
  return from >= BigInt(length) ? (index < 0n ? 0 : length) : Number(from);
}

function setRange(call: RespCall): void {
  const offset = safeIntegerOf(call.word(2));
  if (offset === undefined) return call.refuse(notInteger);
  if (offset < 0) return call.refuse("ERR offset is out of range");
  const part = call.word(3);
  const { valueBytesMax } = call.service.options;
  call.change((held) => {
    const before = held?.value ?? empty;
    if (part.length === 0) return { reply: before.length };
    if (offset + part.length > valueBytesMax) return { reply: tooLong };
    const value = new Uint8Array(Math.max(before.length, offset + part.length));
    value.set(before);
    value.set(part, offset);
    return { reply: value.length, next: { value, expiresAtMs: keptDeadline(held) } };
  });
}

function decrementBy(call: RespCall): void {
  const by = int64Of(call.word(2));
  if (by !== undefined && !isInt64(-by)) call.refuse("ERR decrement would overflow");
  else increment(call, by === undefined ? undefined : -by);
}

function increment(call: RespCall, by: bigint | undefined): void {
  if (by === undefined) return call.refuse(notInteger);
  call.change((held) => {
    const before = held === undefined ? 0n : int64Of(held.value);
    if (before === undefined) return { reply: { kind: "error", text: notInteger } };
    const sum = before + by;
    if (!isInt64(sum)) {
      return { reply: { kind: "error", text: "ERR increment or decrement would overflow" } };
    }
    return { reply: sum, next: { value: ascii(String(sum)), expiresAtMs: keptDeadline(held) } };
  });
}

function incrementByFloat(call: RespCall): void {
  const by = latin1(call.word(2));
  call.change((held) => {
    const sum = addDecimals(held === undefined ? "0" : latin1(held.value), by);
    if (!sum.ok) return { reply: { kind: "error", text: sum.problem } };
    return { reply: sum.text, next: { value: ascii(sum.text), expiresAtMs: keptDeadline(held) } };
  });
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
