import { type RespReply, respStatus } from "@coterie/protocol";
import { type Command, commandGroup } from "../command.ts";
import type { HeldValue } from "../key-lanes.ts";
import { readKey } from "../reading.ts";
import type { RespCall } from "../resp-call.ts";
import { int64Of, optionOf } from "../words.ts";

const second = [2, 2, 1] as const;
/** Up to this length Redis keeps a string within its object. */
const embeddedBytesMax = 44;
/** Redis keeps one object of each of these, and counts no references to it. */
const sharedIntegers = 10_000n;
const sharedReferences = 2 ** 31 - 1;
/** Of a record, beside key and value, and of its entry in the index, roughly. */
const recordOverheadBytes = 100;
const noFrequency =
  "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that " +
  "when switching between policies at runtime LRU and LFU data may not be fresh.";

/** What is kept of a key. */
export const objectCommands: readonly Command<RespCall>[] = [
  ...commandGroup<RespCall>("generic", [
    {
      name: "object",
      arity: -2,
      since: "2.2.3",
      summary: "Commands about how values are kept",
      subcommands: [
        {
          name: "encoding",
          arity: 3,
          flags: "readonly",
          keys: second,
          since: "2.2.3",
          summary: "How Redis would keep this value: int, embstr or raw",
          usage: "key",
          run: (call) => readKey(call, encodingOf),
        },
        {
          name: "freq",
          arity: 3,
          flags: "readonly",
          keys: second,
          since: "4.0.0",
          summary: "Refused: how often a key is used is not counted",
          usage: "key",
          run: (call) => call.refuse(noFrequency),
        },
        {
          name: "refcount",
          arity: 3,
          flags: "readonly",
          keys: second,
          since: "2.2.3",
          summary: "How often Redis would share this value: the integers to 9999, or not",
          usage: "key",
          run: (call) => readKey(call, referencesTo),
        },
        {
          name: "help",
          arity: 2,
          since: "6.2.0",
          summary: "What OBJECT can do",
          run: (call) =>
            call.settle(["OBJECT ENCODING <key>", "OBJECT FREQ <key>"].map(respStatus)),
        },
      ],
    },
  ]),
  ...commandGroup<RespCall>("server", [
    {
      name: "memory",
      arity: -2,
      since: "4.0.0",
      summary: "Commands about space",
      subcommands: [
        {
          name: "usage",
          arity: -3,
          flags: "readonly",
          keys: second,
          since: "4.0.0",
          summary: "Bytes that a key takes in one replica's log, roughly (SAMPLES is of no effect)",
          usage: "key [SAMPLES count]",
          run: usage,
        },
        {
          name: "help",
          arity: 2,
          since: "4.0.0",
          summary: "What MEMORY can do",
          run: (call) => call.settle(["MEMORY USAGE <key> [SAMPLES <count>]"].map(respStatus)),
        },
      ],
    },
  ]),
];

function encodingOf(held: HeldValue | undefined): RespReply {
  if (held === undefined) return null;
  if (int64Of(held.value) !== undefined) return "int";
  return held.value.length <= embeddedBytesMax ? "embstr" : "raw";
}

function referencesTo(held: HeldValue | undefined): RespReply {
  if (held === undefined) return null;
  const integer = int64Of(held.value);
  const isShared = integer !== undefined && integer >= 0n && integer < sharedIntegers;
  return isShared ? sharedReferences : 1;
}

function usage(call: RespCall): void {
  const { words } = call;
  const hasSamples = words.length === 5 && optionOf(words[3]) === "samples";
  if (words.length > 3 && !(hasSamples && int64Of(words[4]) !== undefined)) {
    return call.refuseSyntax();
  }
  readKey(call, (held) =>
    held === undefined ? null : held.value.length + call.word(2).length + recordOverheadBytes,
  );
}
