import type { Command, Option } from "commander";

/** A command as a shell completes it. */
export interface CompletedCommand {
  /** The words that lead to it, without the program's own name; empty for the program. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly subcommands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly CompletedOption[];
}

export interface CompletedOption {
  /** As in `--json`. */
  readonly flag: string;
  readonly summary: string;
  readonly takesValue: boolean;
  /** What it takes, where that is a closed list. */
  readonly choices: readonly string[];
}

/** Every command of a program, parents before children. */
export function commandTree(
  command: Command,
  path: readonly string[] = [],
): readonly CompletedCommand[] {
  const subcommands = command.commands.map((child) => ({
    name: child.name(),
    summary: child.summary(),
  }));
  const options = command.options.map(completed);
  const help = { flag: "--help", summary: "show its help", takesValue: false, choices: [] };
  return [
    { path, summary: command.summary(), subcommands, options: [...options, help] },
    ...command.commands.flatMap((child) => commandTree(child, [...path, child.name()])),
  ];
}

function completed({ long, description, required, optional, argChoices }: Option): CompletedOption {
  return {
    flag: long ?? "",
    summary: description,
    takesValue: required || optional,
    choices: argChoices ?? [],
  };
}
