import { latin1 } from "@coterie/core";
import { type Command, type CommandRow, commandGroup } from "./command.ts";
import type { RespCall } from "./resp-call.ts";
import { missingCommands } from "./missing-commands.ts";

/** Characters of an unknown command, and of all its arguments, that an error repeats. */
const repeatedMax = 128;

/** What no client can call by its name, but metrics count. */
const row = (name: string, run: (call: RespCall) => void): CommandRow<RespCall> => ({
  name,
  arity: -1,
  since: "1.0.0",
  summary: "",
  run,
});

const [broken, over, unknown] = commandGroup("refused", [
  row("protocol-error", () => undefined),
  row("over-limit", refuseOverLimit),
  row("unknown", refuseUnknown),
]);

/** Stands for what is no command: its reply ends the connection. */
export const brokenFraming: Command<RespCall> = broken as Command<RespCall>;

/** Stands for a command of which arguments were over a limit. */
export const overLimit: Command<RespCall> = over as Command<RespCall>;

/** Stands for a command that does not exist. */
export const unknownCommand: Command<RespCall> = unknown as Command<RespCall>;

function refuseOverLimit(call: RespCall): void {
  const { options, tuning } = call.service;
  call.refuse(
    `ERR too-large: a value has at most ${options.valueBytesMax} bytes, and a command at most ` +
      `${tuning.commandBytesMax} with all its arguments`,
  );
}

/** Redis' words come first, which clients look for; then what there is instead. */
function refuseUnknown(call: RespCall): void {
  const name = shown(call.word(0), repeatedMax);
  const instead = missingCommands.get(name.toLowerCase());
  if (instead !== undefined) return call.refuse(`ERR unknown command '${name}': ${instead}`);
  let words = "";
  for (let at = 1; at < call.words.length && words.length < repeatedMax; at += 1) {
    words += `'${shown(call.word(at), repeatedMax - words.length)}' `;
  }
  call.refuse(`ERR unknown command '${name}', with args beginning with: ${words}`);
}

function shown(word: Uint8Array, most: number): string {
  return latin1(word, 0, Math.min(word.length, most)).replaceAll(/[^\x20-\x7e]/gu, " ");
}
