import type { GetOutcome } from "@coterie/cluster";
import type { RespReply } from "@coterie/protocol";
import { type HeldValue, heldOf } from "./key-lanes.ts";
import { failureReply } from "./failure-reply.ts";
import type { RespCall } from "./resp-call.ts";

/** Values from this size on are only read while clients take what was read for them. */
const largeBytes = 16 * 1024;

/** How many keys of one command are asked for at once. */
const keysAtOnce = 64;

/** Redis clients know no contexts. */
const forValue = { withoutContext: true };

/** Reads the first key of a call, and replies with what `show` makes of what it holds. */
export function readKey(
  call: RespCall,
  show: (held: HeldValue | undefined, call: RespCall) => RespReply,
): void {
  const { service } = call;
  const place = { bucket: service.options.bucket, key: call.word(call.command.keys?.first ?? 1) };
  service.node.get(place, forValue).then(
    (outcome) => call.settle(replyTo(outcome, call, show)),
    (error: unknown) => call.settle(service.defect(error)),
  );
}

/** Reads keys, some at once; `settle` gets what `show` makes of each, or the first error. */
export function readKeys(
  call: RespCall,
  keys: readonly Uint8Array[],
  show: (held: HeldValue | undefined, call: RespCall) => RespReply,
): Promise<readonly RespReply[]> {
  const { service } = call;
  const { bucket } = service.options;
  return forEachKey(keys, (key, settle) => {
    service.node.get({ bucket, key }, forValue).then(
      (outcome) => settle(replyTo(outcome, call, show)),
      (error: unknown) => settle(service.defect(error)),
    );
  });
}

function replyTo(
  outcome: GetOutcome,
  call: RespCall,
  show: (held: HeldValue | undefined, call: RespCall) => RespReply,
): RespReply {
  if (!outcome.ok) return failureReply(outcome);
  const held = heldOf(outcome.siblings);
  const bytes = held?.value.length ?? 0;
  if (bytes >= largeBytes && !call.service.unread.has(bytes)) return unreadReplies;
  return show(held, call);
}

const unreadReplies: RespReply = {
  kind: "error",
  text: "BUSY overloaded: clients leave too many replies unread",
};

/** Does something for each key, some at once; resolves with the replies in the keys' order. */
export function forEachKey(
  keys: readonly Uint8Array[],
  begin: (key: Uint8Array, settle: (reply: RespReply) => void, at: number) => void,
): Promise<readonly RespReply[]> {
  const replies: RespReply[] = [];
  let begun = 0;
  let settled = 0;
  return new Promise((resolve) => {
    const beginNext = (): void => {
      const at = begun;
      begun += 1;
      begin(
        keys[at] as Uint8Array,
        (reply) => {
          replies[at] = reply;
          settled += 1;
          if (settled === keys.length) resolve(replies);
          else if (begun < keys.length) beginNext();
        },
        at,
      );
    };
    if (keys.length === 0) resolve(replies);
    while (begun < Math.min(keysAtOnce, keys.length)) beginNext();
  });
}
