import { type RespReply, respMap } from "@coterie/protocol";
import { type Lifetime, forever, latin1 } from "@coterie/core";
import type { WriteOutcome } from "@coterie/cluster";
import { dotText } from "../../dot-text.ts";
import { problemWithBucket } from "../../request-checks.ts";
import { type Command, commandGroup } from "../command.ts";
import { expiryOptions, expiryUsage, readDeadline } from "../expiry.ts";
import { failureReply } from "../failure-reply.ts";
import type { RespCall } from "../resp-call.ts";
import { optionOf } from "../words.ts";

const one = [1, 1, 1] as const;

/** Coterie's own: siblings and contexts, also of other buckets. */
export const contextCommands: readonly Command<RespCall>[] = commandGroup("coterie", [
  {
    name: "cot.get",
    arity: -2,
    flags: "readonly",
    keys: one,
    since: "0.1.0",
    summary: "What a key holds: its context, and every sibling, the latest first (BUCKET)",
    usage: "key [BUCKET bucket]",
    run: getSiblings,
  },
  {
    name: "cot.put",
    arity: -3,
    flags: "write denyoom",
    keys: one,
    since: "0.1.0",
    summary: "Writes a value in the place of what its context has read (CONTEXT, EX, PX, …)",
    usage: `key value [CONTEXT context] [BUCKET bucket] [${expiryUsage}|PERSIST]`,
    run: put,
  },
  {
    name: "cot.del",
    arity: -2,
    flags: "write",
    keys: one,
    since: "0.1.0",
    summary: "Deletes what its context has read; without one, what is there now (CONTEXT, BUCKET)",
    usage: "key [CONTEXT context] [BUCKET bucket]",
    run: remove,
  },
]);

interface ContextOptions extends Lifetime {
  bucket: string;
  context: string | undefined;
  ttlMs?: number;
  expiresAtMs?: number;
}

/** `undefined` once the call has been refused. */
function readOptions(call: RespCall, from: number): ContextOptions | undefined {
  const options: ContextOptions = { bucket: call.service.options.bucket, context: undefined };
  const isPut = call.command.name === "cot.put";
  for (let at = from; at < call.words.length; at += 2) {
    const value = call.words[at + 1];
    const option = optionOf(call.words[at]);
    const expiry = isPut ? expiryOptions.get(option) : undefined;
    const hasEnd = options.ttlMs !== undefined || options.expiresAtMs !== undefined;
    if (isPut && option === "persist" && !hasEnd) {
      options.ttlMs = forever;
      at -= 1;
    } else if (value === undefined) return call.refuseSyntax();
    else if (expiry !== undefined && !hasEnd) {
      const nowMs = call.service.clock.wallMs();
      const deadline = readDeadline(value, expiry, { nowMs, command: "cot.put", mustLast: true });
      if (!deadline.ok) return call.refuse(deadline.problem);
      options.expiresAtMs = deadline.atMs;
    } else if (option === "bucket") options.bucket = latin1(value);
    else if (option === "context" && call.command.name !== "cot.get") {
      options.context = latin1(value);
    } else return call.refuseSyntax();
  }
  const problem = problemWithBucket(options.bucket);
  if (problem === undefined) return options;
  return call.refuse(`ERR ${problem.code}: ${problem.message}`);
}

function getSiblings(call: RespCall): void {
  const options = readOptions(call, 2);
  if (options === undefined) return;
  const { service } = call;
  service.node.get({ bucket: options.bucket, key: call.word(1) }, { allSiblings: true }).then(
    (outcome) => {
      if (!outcome.ok) return call.fail(outcome);
      const siblings = outcome.siblings.map((sibling) =>
        respMap(
          "value",
          sibling.value,
          "content-type",
          sibling.contentType,
          "dot",
          dotText(sibling),
          "written-at-ms",
          sibling.writtenAt.wallMs,
          "expires-at-ms",
          sibling.expiresAtMs ?? null,
        ),
      );
      call.settle(respMap("context", outcome.context ?? null, "siblings", siblings));
    },
    (error: unknown) => call.settle(service.defect(error)),
  );
}

function put(call: RespCall): void {
  const options = readOptions(call, 3);
  if (options === undefined) return;
  const { bucket, context, ttlMs, expiresAtMs } = options;
  const input = {
    ttlMs,
    expiresAtMs,
    value: call.word(2),
    contentType: "",
    context,
    writeId: undefined,
    returnBody: false,
    ifAbsent: false,
  };
  settleWrite(call, call.service.node.put({ bucket, key: call.word(1) }, input, {}));
}

function remove(call: RespCall): void {
  const options = readOptions(call, 2);
  if (options === undefined) return;
  const { bucket, context } = options;
  settleWrite(call, call.service.node.delete({ bucket, key: call.word(1) }, context, {}));
}

function settleWrite(call: RespCall, write: Promise<WriteOutcome>): void {
  const reply = (outcome: WriteOutcome): RespReply =>
    outcome.ok
      ? respMap("context", outcome.context ?? null, "siblings", outcome.siblings)
      : failureReply(outcome);
  write.then(
    (outcome) => call.settle(reply(outcome)),
    (error: unknown) => call.settle(call.service.defect(error)),
  );
}
