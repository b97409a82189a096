import { latin1 } from "@coterie/core";
import { type RespReply, respStatus } from "@coterie/protocol";
import { type Command, type CommandRow, commandGroup } from "../command.ts";
import {
  type ExpiryConditions,
  type ExpiryForm,
  expiryOptions,
  expiryUsage,
  mayExpireAt,
  readDeadline,
  until,
} from "../expiry.ts";
import type { HeldValue } from "../key-lanes.ts";
import { readKey } from "../reading.ts";
import type { RespCall } from "../resp-call.ts";
import { optionOf } from "../words.ts";

const one = [1, 1, 1] as const;
const ok: RespReply = respStatus("OK");
const seconds: ExpiryForm = { unit: "seconds", base: "now" };
const milliseconds: ExpiryForm = { unit: "milliseconds", base: "now" };

/** Values that do not stay: the ones that write. */
export const expiringCommands: readonly Command<RespCall>[] = commandGroup("string", [
  {
    name: "setex",
    arity: 4,
    flags: "write denyoom",
    keys: one,
    since: "2.0.0",
    summary: "Writes a value that lives for so many seconds",
    usage: "key seconds value",
    run: (call) => setFor(call, seconds),
  },
  {
    name: "psetex",
    arity: 4,
    flags: "write denyoom",
    keys: one,
    since: "2.6.0",
    summary: "Writes a value that lives for so many milliseconds",
    usage: "key milliseconds value",
    run: (call) => setFor(call, milliseconds),
  },
  {
    name: "getex",
    arity: -2,
    flags: "write fast",
    keys: one,
    since: "6.2.0",
    summary: "The value of a key, and another deadline for it (EX, PX, EXAT, PXAT, PERSIST)",
    usage: `key [${expiryUsage}|PERSIST]`,
    run: getExpiring,
  },
]);

/** Deadlines of keys. */
export const expiryCommands: readonly Command<RespCall>[] = commandGroup("generic", [
  expireRow("expire", "1.0.0", "Gives a value so many seconds to live", seconds),
  expireRow("pexpire", "2.6.0", "Gives a value so many milliseconds to live", milliseconds),
  expireRow("expireat", "1.2.0", "Lets a value live until a second since 1970", {
    unit: "seconds",
    base: "epoch",
  }),
  expireRow("pexpireat", "2.6.0", "Lets a value live until a millisecond since 1970", {
    unit: "milliseconds",
    base: "epoch",
  }),
  leftRow(
    "ttl",
    "1.0.0",
    "Seconds that a value has to live; -1: it stays, -2: there is none",
    (at, nowMs) => Math.floor((Math.max(0, at - nowMs) + 500) / 1000),
  ),
  leftRow("pttl", "2.6.0", "Milliseconds that a value has to live", (at, nowMs) =>
    Math.max(0, Math.ceil(at - nowMs)),
  ),
  leftRow("expiretime", "7.0.0", "The second since 1970 until which a value lives", (at) =>
    Math.floor((at + 500) / 1000),
  ),
  leftRow(
    "pexpiretime",
    "7.0.0",
    "The millisecond since 1970 until which a value lives",
    (at) => at,
  ),
  {
    name: "persist",
    arity: 2,
    flags: "write fast",
    keys: one,
    since: "2.2.0",
    summary: "Takes the deadline of a value away",
    usage: "key",
    run: (call) =>
      call.change((held) =>
        held?.expiresAtMs === undefined
          ? { reply: 0 }
          : { reply: 1, next: { value: held.value, expiresAtMs: "never" } },
      ),
  },
]);

function expireRow(
  name: string,
  since: string,
  summary: string,
  form: ExpiryForm,
): CommandRow<RespCall> {
  const run = (call: RespCall): void => expire(call, form);
  const unit = form.base === "now" ? form.unit : `unix-time-${form.unit}`;
  const about = { since, summary, usage: `key ${unit} [NX|XX|GT|LT]` };
  return { name, arity: -3, flags: "write fast", keys: one, ...about, run };
}

function leftRow(
  name: string,
  since: string,
  summary: string,
  show: (atMs: number, nowMs: number) => number,
): CommandRow<RespCall> {
  const left = (held: HeldValue | undefined, call: RespCall): number => {
    if (held === undefined) return -2;
    const at = held.expiresAtMs;
    return at === undefined ? -1 : show(at, call.service.clock.wallMs());
  };
  const run = (call: RespCall): void => readKey(call, left);
  return { name, arity: 2, flags: "readonly fast", keys: one, since, summary, usage: "key", run };
}

function setFor(call: RespCall, form: ExpiryForm): void {
  const nowMs = call.service.clock.wallMs();
  const given = { nowMs, command: call.command.name, mustLast: true };
  const deadline = readDeadline(call.word(2), form, given);
  if (!deadline.ok) call.refuse(deadline.problem);
  else call.put(call.word(1), { value: call.word(3), expiresAtMs: deadline.atMs }, ok);
}

function expire(call: RespCall, form: ExpiryForm): void {
  const nowMs = call.service.clock.wallMs();
  const conditions = readConditions(call);
  if (conditions === undefined) return;
  const given = { nowMs, command: call.command.name, mustLast: false };
  const deadline = readDeadline(call.word(2), form, given);
  if (!deadline.ok) return call.refuse(deadline.problem);
  call.change((held) =>
    held === undefined || !mayExpireAt(held, deadline.atMs, conditions)
      ? { reply: 0 }
      : { reply: 1, next: until(held.value, deadline.atMs, nowMs) },
  );
}

/** `undefined` once the call has been refused. */
function readConditions(call: RespCall): ExpiryConditions | undefined {
  const given = new Set<string>();
  for (const word of call.words.slice(3)) {
    const option = optionOf(word);
    if (!/^(?:nx|xx|gt|lt)$/u.test(option)) {
      return call.refuse(`ERR Unsupported option ${latin1(word)}`);
    }
    given.add(option);
  }
  if (given.has("nx") && given.size > 1) {
    return call.refuse("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (given.has("gt") && given.has("lt")) {
    return call.refuse("ERR GT and LT options at the same time are not compatible");
  }
  return {
    isNone: given.has("nx"),
    isAny: given.has("xx"),
    isLater: given.has("gt"),
    isEarlier: given.has("lt"),
  };
}

function getExpiring(call: RespCall): void {
  const { words } = call;
  const option = optionOf(words[2]);
  const form = expiryOptions.get(option);
  if (words.length === 2) return readKey(call, (held) => held?.value ?? null);
  if (option === "persist" && words.length === 3) return persistAndGet(call);
  if (form === undefined || words.length !== 4) return call.refuseSyntax();
  const nowMs = call.service.clock.wallMs();
  const deadline = readDeadline(words[3], form, { nowMs, command: "getex", mustLast: true });
  if (!deadline.ok) return call.refuse(deadline.problem);
  call.change((held) =>
    held === undefined
      ? { reply: null }
      : { reply: held.value, next: until(held.value, deadline.atMs, nowMs) },
  );
}

function persistAndGet(call: RespCall): void {
  call.change((held) => {
    if (held === undefined) return { reply: null };
    const { value, expiresAtMs } = held;
    if (expiresAtMs === undefined) return { reply: value };
    return { reply: value, next: { value, expiresAtMs: "never" } };
  });
}
