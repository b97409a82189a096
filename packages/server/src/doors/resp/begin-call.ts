import { keyBytesMax, latin1 } from "@coterie/core";
import { type RespReply, respStatus } from "@coterie/protocol";
import { type Command, type CommandAbout, hasArity, keysOf } from "./command.ts";
import { commands } from "./commands/commands.ts";
import { unknownCommand } from "./refused-commands.ts";
import type { RespCall } from "./resp-call.ts";

const queued: RespReply = respStatus("QUEUED");
/** Carried out at once, though others are queued. */
const unqueued = new Set(["multi", "exec", "discard", "watch", "quit", "reset"]);
const noNames: readonly string[] = [];

/** The command that words call, or one that refuses them. */
export function commandFor(words: readonly Uint8Array[]): Command<RespCall> {
  const name = latin1(words[0] as Uint8Array);
  const command = commands.get(name) ?? commands.get(name.toLowerCase()) ?? unknownCommand;
  const sub = words[1];
  if (command.subcommands.size === 0 || sub === undefined) return command;
  return command.subcommands.get(latin1(sub).toLowerCase()) ?? command;
}

/** The keys of a call, as text of one character per byte. */
export function namesOf(command: CommandAbout, words: readonly Uint8Array[]): readonly string[] {
  const { keys } = command;
  if (keys === undefined) return noNames;
  const first = words[keys.first];
  if (keys.last === keys.first) return first === undefined ? noNames : [latin1(first)];
  return [...new Set(keysOf(command, words).map((key) => latin1(key)))];
}

/** Carries a call out, or queues it in its client's transaction. */
export function beginCall(call: RespCall): void {
  const { session, service, command } = call;
  session.lastCommand = command.name;
  session.lastCommandMs = call.sinceMs;
  if (session.replies !== "on") {
    call.isSilent = true;
    if (session.replies === "skip") session.replies = "on";
  }
  const problem = problemWith(call);
  if (problem !== undefined) {
    if (session.transaction !== undefined) session.transaction.isBroken = true;
    return call.refuse(problem);
  }
  const { transaction } = session;
  if (transaction !== undefined && !unqueued.has(command.name) && command !== unknownCommand) {
    if (transaction.add(command, call.words)) return call.settle(queued);
    transaction.isBroken = true;
    return call.refuse("ERR too-large: the transaction holds too much");
  }
  if (command === unknownCommand && transaction !== undefined) transaction.isBroken = true;
  try {
    command.run(call);
  } catch (error) {
    call.settle(service.defect(error));
  }
}

function problemWith(call: RespCall): string | undefined {
  const { command, words, service, session } = call;
  if (service.isClosing) return "TRYAGAIN shutting-down: the node is shutting down";
  if (command.subcommands.size > 0 && words.length > 1) {
    const parent = command.name.toUpperCase();
    const sub = latin1(words[1] as Uint8Array)
      .slice(0, 128)
      .replaceAll(/[^\x20-\x7e]/gu, " ");
    return `ERR unknown subcommand '${sub}'. Try ${parent} HELP.`;
  }
  if (!hasArity(command, words.length)) {
    return `ERR wrong number of arguments for '${command.name}' command`;
  }
  for (const key of command.keys === undefined ? [] : keysOf(command, words)) {
    if (key.length >= 1 && key.length <= keyBytesMax) continue;
    return `ERR bad-request: a key has 1 to ${keyBytesMax} bytes, not ${key.length}`;
  }
  if (session.transaction !== undefined && command.flags.includes("no_multi")) {
    return `ERR Command not allowed inside a transaction`;
  }
  return undefined;
}
