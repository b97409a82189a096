import type { Command } from "commander";
import { commandTree } from "../completion/command-tree.ts";
import { completionScript, type Shell } from "../completion/scripts.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { processTerminal } from "../terminal.ts";

/** `coterie completion SHELL`: a script made of the program's own commands. */
export async function printCompletion(shell: Shell, program: Command): Promise<ExitCode> {
  await processTerminal().data(completionScript(shell, commandTree(program)));
  return exitCodes.ok;
}
