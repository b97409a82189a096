import type { Ending, GetOutcome } from "@coterie/cluster";
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

/** What becomes of a key's value: the reply that it is for the call. */
type Show = (held: HeldValue | undefined, call: RespCall) => RespReply;

/** A key that is being read. */
class KeyRead implements Ending<GetOutcome> {
  readonly #call: RespCall;
  readonly #show: Show;
  readonly #taker: { settle(reply: RespReply): void };

  constructor(call: RespCall, show: Show, taker: { settle(reply: RespReply): void }) {
    this.#call = call;
    this.#show = show;
    this.#taker = taker;
  }

  settle(outcome: GetOutcome): void {
    this.#taker.settle(replyTo(outcome, this.#call, this.#show));
  }

  fail(error: unknown): void {
    this.#taker.settle(this.#call.service.defect(error));
  }
}

/** Reads the first key of a call, and replies with what `show` makes of what it holds. */
export function readKey(call: RespCall, show: Show): void {
  const { service } = call;
  const place = { bucket: service.options.bucket, key: call.word(call.command.keys?.first ?? 1) };
  service.node.beginGet(place, forValue, new KeyRead(call, show, call));
}

/** Reads keys, some at once; resolves with what `show` makes of each, or the error that it is. */
export function readKeys(
  call: RespCall,
  keys: readonly Uint8Array[],
  show: Show,
): Promise<readonly RespReply[]> {
  const { service } = call;
  const { bucket } = service.options;
  return forEachKey(keys, (key, settle) => {
    service.node.beginGet({ bucket, key }, forValue, new KeyRead(call, show, { settle }));
  });
}

function replyTo(outcome: GetOutcome, call: RespCall, show: Show): RespReply {
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
