import { type RespReply, respStatus } from "@coterie/protocol";
import type { RespCall } from "../resp-call.ts";
import { optionOf } from "../words.ts";

const ok: RespReply = respStatus("OK");

/** What SET was asked for besides a key and a value. */
interface SetOptions {
  readonly condition: "none" | "absent" | "present";
  /** Replies with the value that was there. */
  readonly isGet: boolean;
}

const plain: SetOptions = { condition: "none", isGet: false };

/** SET: a plain one writes over whatever is there, the others look at it first. */
export function set(call: RespCall): void {
  const options = call.words.length === 3 ? plain : readOptions(call);
  if (options === undefined) return;
  const { lanes } = call.service;
  const next = { value: call.word(2), expiresAtMs: undefined };
  const settle = (reply: RespReply): void => call.settle(reply);
  if (options === plain) return lanes.put(call.word(1), next, ok, settle);
  const { condition, isGet } = options;
  lanes.change(
    call.word(1),
    (held) => {
      const before = held?.value ?? null;
      const isMet = condition === "none" || (held === undefined) === (condition === "absent");
      if (!isMet) return { reply: isGet ? before : null };
      return { reply: isGet ? before : ok, next };
    },
    settle,
  );
}

/** `undefined` once the call has been refused. */
function readOptions(call: RespCall): SetOptions | undefined {
  let condition: SetOptions["condition"] = "none";
  let isGet = false;
  for (let at = 3; at < call.words.length; at += 1) {
    const option = optionOf(call.words[at]);
    if (option === "nx" && condition === "none") condition = "absent";
    else if (option === "xx" && condition === "none") condition = "present";
    else if (option === "get" && !isGet) isGet = true;
    else if (/^(?:ex|px|exat|pxat|keepttl)$/u.test(option)) {
      return call.refuse("ERR not-yet: values do not expire yet: leave it out");
    } else return call.refuseSyntax();
  }
  return { condition, isGet };
}
