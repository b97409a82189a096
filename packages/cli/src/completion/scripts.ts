import type { CompletedCommand } from "./command-tree.ts";

/** The shells that completions are written for. */
export type Shell = "bash" | "zsh" | "fish";

/** A script for a shell, which completes this tree and asks no program at every key. */
export function completionScript(shell: Shell, tree: readonly CompletedCommand[]): string {
  if (shell === "bash") return bashScript(tree);
  return shell === "zsh" ? zshScript(tree) : fishScript(tree);
}

const idOf = ({ path }: CompletedCommand): string => path.join("/");

/** The branches that follow the words typed so far down the tree. */
function walk(tree: readonly CompletedCommand[]): readonly string[] {
  return tree
    .filter(({ path }) => path.length > 0)
    .map((command) => {
      const parent = command.path.slice(0, -1).join("/");
      return `      "${parent} ${command.path.at(-1)}") at="${idOf(command)}" ;;`;
    });
}

/** The branches for the value of an option that takes one of a list. */
function choicesOf(
  tree: readonly CompletedCommand[],
  answer: (choices: readonly string[]) => string,
): readonly string[] {
  return tree.flatMap((command) =>
    command.options
      .filter(({ takesValue }) => takesValue)
      .map(({ flag, choices }) => `    "${idOf(command)} ${flag}") ${answer(choices)} ;;`),
  );
}

function bashScript(tree: readonly CompletedCommand[]): string {
  const wordsOf = ({ subcommands, options }: CompletedCommand): string =>
    [...subcommands.map(({ name }) => name), ...options.map(({ flag }) => flag)].join(" ");
  return [
    "# Completion of coterie for bash: source <(coterie completion bash)",
    "_coterie() {",
    '  local cur="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"',
    '  local at="" words="" i',
    "  COMPREPLY=()",
    "  for ((i = 1; i < COMP_CWORD; i++)); do",
    '    case "$at ${COMP_WORDS[i]}" in',
    ...walk(tree),
    "    esac",
    "  done",
    '  case "$at $previous" in',
    ...choicesOf(tree, (choices) =>
      choices.length === 0
        ? "return"
        : `COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$cur")); return`,
    ),
    "  esac",
    '  case "$at" in',
    ...tree.map((command) => `    "${idOf(command)}") words="${wordsOf(command)}" ;;`),
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    "}",
    "complete -o default -F _coterie coterie",
    "",
  ].join("\n");
}

function zshScript(tree: readonly CompletedCommand[]): string {
  const described = (name: string, summary: string): string =>
    `'${quoted(name)}:${quoted(summary.replaceAll(":", "\\:"))}'`;
  const itemsOf = ({ subcommands, options }: CompletedCommand): string =>
    [
      ...subcommands.map(({ name, summary }) => described(name, summary)),
      ...options.map(({ flag, summary }) => described(flag, summary)),
    ].join(" ");
  return [
    "#compdef coterie",
    "# Completion of coterie for zsh: source <(coterie completion zsh)",
    "_coterie() {",
    '  local at="" word previous="${words[CURRENT-1]}"',
    "  local -a items",
    '  for word in "${(@)words[2,CURRENT-1]}"; do',
    '    case "$at $word" in',
    ...walk(tree),
    "    esac",
    "  done",
    '  case "$at $previous" in',
    ...choicesOf(tree, (choices) =>
      choices.length === 0 ? "_files; return" : `compadd -- ${choices.join(" ")}; return`,
    ),
    "  esac",
    '  case "$at" in',
    ...tree.map((command) => `    "${idOf(command)}") items=(${itemsOf(command)}) ;;`),
    "  esac",
    "  _describe 'coterie' items || _files",
    "}",
    "# As a file of $fpath this is itself the function that completes.",
    'if [[ "${funcstack[1]}" = _coterie ]]; then _coterie "$@"; else compdef _coterie coterie; fi',
    "",
  ].join("\n");
}

function fishScript(tree: readonly CompletedCommand[]): string {
  const lines = tree.flatMap((command) => {
    const here = `-c coterie -n 'test "$(__coterie_at)" = "${idOf(command)}"'`;
    return [
      ...command.subcommands.map(
        ({ name, summary }) => `complete ${here} -f -a ${name} -d '${quoted(summary)}'`,
      ),
      ...command.options.map(({ flag, summary, takesValue, choices }) => {
        const value =
          choices.length > 0 ? ` -x -a '${choices.join(" ")}'` : takesValue ? " -r" : "";
        return `complete ${here} -l ${flag.slice(2)}${value} -d '${quoted(summary)}'`;
      }),
    ];
  });
  return [
    "# Completion of coterie for fish: coterie completion fish | source",
    "function __coterie_at",
    "  set -l at ''",
    "  for word in (commandline -opc)[2..-1]",
    '    switch "$at $word"',
    ...walk(tree).map((branch) =>
      branch.replace(/^ {6}"(.*)"\) at="(.*)" ;;$/u, "      case '$1'\n        set at '$2'"),
    ),
    "    end",
    "  end",
    "  echo $at",
    "end",
    ...lines,
    "",
  ].join("\n");
}

/** Within single quotes, which every one of these shells closes and opens again. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}
