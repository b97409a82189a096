import { randomBytes } from "node:crypto";
import { latin1 } from "@coterie/core";
import { type RespReply, respStatus } from "@coterie/protocol";
import { type Command, commandGroup } from "../command.ts";
import { failureReply } from "../failure-reply.ts";
import { type WalkOutcome, matchingKeys, prefixOf, walkKeys } from "../key-walk.ts";
import { forEachKey } from "../reading.ts";
import type { RespCall } from "../resp-call.ts";
import { int64Of, notInteger, optionOf } from "../words.ts";

const countDefault = 10;
/** What a page of the node holds at most. */
const countMax = 10_000;
/** Keys that one reply may hold; SCAN has no such limit. */
const keysMax = 1_000_000;
const cursorMax = 2n ** 64n - 1n;
const ok: RespReply = respStatus("OK");

/** All keys of the bucket. */
export const keyspaceCommands: readonly Command<RespCall>[] = [
  ...commandGroup<RespCall>("generic", [
    {
      name: "scan",
      arity: -2,
      flags: "readonly",
      order: "alone",
      since: "2.8.0",
      summary: "Some of the keys, and where to go on (MATCH, COUNT, TYPE)",
      usage: "cursor [MATCH pattern] [COUNT count] [TYPE type]",
      run: scan,
    },
    {
      name: "keys",
      arity: 2,
      flags: "readonly",
      order: "alone",
      since: "1.0.0",
      summary: "All keys that match a pattern: reads the whole bucket",
      usage: "pattern",
      run: (call) => story(call, keys(call)),
    },
    {
      name: "randomkey",
      arity: 1,
      flags: "readonly",
      order: "alone",
      since: "1.0.0",
      summary: "Some key",
      run: (call) => story(call, randomKey(call)),
    },
  ]),
  ...commandGroup<RespCall>("server", [
    {
      name: "dbsize",
      arity: 1,
      flags: "readonly",
      order: "alone",
      since: "1.0.0",
      summary: "The number of keys: counts them, reading the whole bucket",
      run: (call) => story(call, countAll(call)),
    },
    ...["flushdb", "flushall"].map((name) => ({
      name,
      arity: -1,
      flags: "write",
      order: "alone" as const,
      since: "1.0.0",
      summary: "Deletes all keys of the bucket, if the node allows it (setting respFlush)",
      run: flush,
    })),
  ]),
];

/** Settles a call with what a story comes to. */
function story(call: RespCall, work: Promise<RespReply>): void {
  work.then(
    (reply) => call.settle(reply),
    (error: unknown) => call.settle(call.service.defect(error)),
  );
}

interface ScanOptions {
  readonly pattern: Uint8Array | undefined;
  readonly count: number;
  readonly type: string;
}

function scan(call: RespCall): void {
  const text = latin1(call.word(1));
  const position = /^[0-9]{1,20}$/u.test(text) ? BigInt(text) : undefined;
  if (position === undefined || position > cursorMax) return call.refuse("ERR invalid cursor");
  const options = readScanOptions(call);
  if (options !== undefined) story(call, scanPage(call, position, options));
}

/** `undefined` once the call has been refused. */
function readScanOptions(call: RespCall): ScanOptions | undefined {
  let pattern: Uint8Array | undefined;
  let count = countDefault;
  let type = "string";
  for (let at = 2; at < call.words.length; at += 2) {
    const option = optionOf(call.words[at]);
    const value = call.words[at + 1];
    if (value === undefined) return call.refuseSyntax();
    if (option === "match") pattern = value;
    else if (option === "type") type = optionOf(value);
    else if (option === "count") {
      const asked = int64Of(value);
      if (asked === undefined) return call.refuse(notInteger);
      if (asked < 1n) return call.refuseSyntax();
      count = asked > BigInt(countMax) ? countMax : Number(asked);
    } else return call.refuseSyntax();
  }
  return { pattern, count, type };
}

/** The cursor is where the node's scan stands, 64 bits of the hash space, as a decimal number. */
async function scanPage(
  { service }: RespCall,
  position: bigint,
  { pattern, count, type }: ScanOptions,
): Promise<RespReply> {
  const cursor = position === 0n ? undefined : position.toString(16).padStart(16, "0");
  const prefix = pattern === undefined ? undefined : prefixOf(pattern);
  const asked = { limit: count, cursor, prefix, tombstones: false };
  const page = await service.node.scan(service.options.bucket, asked);
  if (!page.ok) return failureReply(page);
  const next = page.cursor === undefined ? "0" : String(BigInt(`0x${page.cursor}`));
  return [next, type === "string" ? matchingKeys(page.items, pattern) : []];
}

async function keys({ service, words }: RespCall): Promise<RespReply> {
  const pattern = words[1] as Uint8Array;
  const found: Uint8Array[] = [];
  const walked = await walkKeys(service, prefixOf(pattern), (items) => {
    found.push(...matchingKeys(items, pattern));
    return found.length <= keysMax;
  });
  if (!walked.ok) return failureReply(walked);
  if (found.length <= keysMax) return found;
  return { kind: "error", text: `ERR too-large: more than ${keysMax} keys; use SCAN` };
}

/** The first key after a random position: one that follows a gap comes more often. */
async function randomKey({ service }: RespCall): Promise<RespReply> {
  const start = randomBytes(8).toString("hex");
  for (const cursor of [start, undefined]) {
    const asked = { limit: 1, cursor, prefix: undefined, tombstones: false };
    for (let page = await service.node.scan(service.options.bucket, asked); ;) {
      if (!page.ok) return failureReply(page);
      const [first] = page.items;
      if (first !== undefined) return first.key;
      if (page.cursor === undefined) break;
      page = await service.node.scan(service.options.bucket, { ...asked, cursor: page.cursor });
    }
  }
  return null;
}

async function countAll({ service }: RespCall): Promise<RespReply> {
  let count = 0;
  const walked = await walkKeys(service, undefined, (items) => {
    count += items.length;
    return true;
  });
  return walked.ok ? count : failureReply(walked);
}

function flush(call: RespCall): void {
  const { service, words, command } = call;
  const mode = optionOf(words[1]);
  if (words.length > 2 || (words.length === 2 && !["sync", "async"].includes(mode))) {
    return call.refuseSyntax();
  }
  if (service.options.mayFlush) return story(call, deleteAll(call));
  call.refuse(
    `ERR ${command.name.toUpperCase()} would delete all keys of bucket ` +
      `${service.options.bucket}: this node refuses it (setting respFlush, --resp-flush)`,
  );
}

async function deleteAll({ service, session }: RespCall): Promise<RespReply> {
  const { node, options } = service;
  const { bucket } = options;
  let failure: WalkOutcome = { ok: true };
  let deleted = 0;
  const walked = await walkKeys(service, undefined, async (items) => {
    await forEachKey(
      items.map(({ key }) => key),
      (key, settle, at) => {
        node.delete({ bucket, key }, items[at]?.context, {}).then(
          (outcome) => {
            if (outcome.ok) deleted += 1;
            else failure = outcome;
            settle(ok);
          },
          (error: unknown) => settle(service.defect(error)),
        );
      },
    );
    return failure.ok;
  });
  service.tell({ kind: "flushed", client: session.link.address, keys: deleted });
  const outcome = walked.ok ? failure : walked;
  return outcome.ok ? ok : failureReply(outcome);
}
