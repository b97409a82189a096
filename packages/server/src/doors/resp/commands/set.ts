import { type RespReply, respStatus } from "@coterie/protocol";
import { expiryOptions, readDeadline, until } from "../expiry.ts";
import { keptDeadline } from "../key-lanes.ts";
import type { RespCall } from "../resp-call.ts";
import { optionOf } from "../words.ts";

const ok: RespReply = respStatus("OK");

/** What SET was asked for besides a key and a value. */
interface SetOptions {
  condition: "none" | "absent" | "present";
  /** Replies with the value that was there. */
  isGet: boolean;
  /** The deadline stays what it was. */
  keepsDeadline: boolean;
  expiresAtMs: number | undefined;
}

/** SET: a plain one writes over whatever is there, the others look at it first. */
export function set(call: RespCall): void {
  const value = call.word(2);
  if (call.words.length === 3) return call.put(call.word(1), { value, expiresAtMs: undefined }, ok);
  const options = readOptions(call);
  if (options === undefined) return;
  const { condition, isGet, keepsDeadline, expiresAtMs } = options;
  const nowMs = call.service.clock.wallMs();
  const next = until(value, expiresAtMs, nowMs);
  const isPlain = condition === "none" && !isGet && !keepsDeadline;
  if (isPlain && next !== "deleted") return call.put(call.word(1), next, ok);
  call.change((held) => {
    const before = held?.value ?? null;
    const isMet = condition === "none" || (held === undefined) === (condition === "absent");
    if (!isMet) return { reply: isGet ? before : null };
    const reply = isGet ? before : ok;
    return keepsDeadline
      ? { reply, next: { value, expiresAtMs: keptDeadline(held) } }
      : { reply, next };
  });
}

/** `undefined` once the call has been refused. */
function readOptions(call: RespCall): SetOptions | undefined {
  const options: SetOptions = {
    condition: "none",
    isGet: false,
    keepsDeadline: false,
    expiresAtMs: undefined,
  };
  for (let at = 3; at < call.words.length; at += 1) {
    const option = optionOf(call.words[at]);
    const expiry = expiryOptions.get(option);
    const hasDeadline = options.expiresAtMs !== undefined || options.keepsDeadline;
    if (option === "nx" && options.condition !== "present") options.condition = "absent";
    else if (option === "xx" && options.condition !== "absent") options.condition = "present";
    else if (option === "get") options.isGet = true;
    else if (option === "keepttl" && options.expiresAtMs === undefined)
      options.keepsDeadline = true;
    else if (expiry !== undefined && !hasDeadline && at + 1 < call.words.length) {
      at += 1;
      const nowMs = call.service.clock.wallMs();
      const given = { nowMs, command: "set", mustLast: true };
      const deadline = readDeadline(call.words[at], expiry, given);
      if (!deadline.ok) return call.refuse(deadline.problem);
      options.expiresAtMs = deadline.atMs;
    } else return call.refuseSyntax();
  }
  return options;
}
