import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { commandTree } from "../src/completion/command-tree.ts";
import { completionScript, type Shell } from "../src/completion/scripts.ts";
import { newProgram } from "../src/program.ts";

const tree = commandTree(newProgram(() => undefined));
const scripts: Readonly<Record<Shell, string>> = {
  bash: completionScript("bash", tree),
  zsh: completionScript("zsh", tree),
  fish: completionScript("fish", tree),
};

/** What each shell offers for words of which the last is being typed. */
const ask: Readonly<Record<Shell, (words: readonly string[]) => string>> = {
  bash: (words) => `
    ${scripts.bash}
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
    _coterie; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Without a terminal zsh offers nothing: what would show the items prints them.
  zsh: (words) => `
    compdef() { :; }
    compadd() { shift; printf '%s\\n' "$@"; }
    _files() { :; }
    _describe() { printf '%s\\n' "\${(@)\${(P)2}%%:*}"; }
    ${scripts.zsh}
    words=(${words.map((word) => `'${word}'`).join(" ")}); CURRENT=${words.length}
    _coterie`,
  fish: (words) => `
    ${scripts.fish}
    complete -C '${words.join(" ")}'`,
};

function offered(shell: Shell, words: readonly string[]): readonly string[] {
  const { status, stdout, stderr } = spawnSync(shell, ["-c", ask[shell](words)], {
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
  const typed = words.at(-1) ?? "";
  const lines = stdout.split("\n").map((line) => line.split("\t")[0] ?? "");
  return lines.filter((line) => line !== "" && line.startsWith(typed)).toSorted();
}

function isInstalled(shell: string): boolean {
  const isThere = spawnSync(shell, ["-c", "exit 0"]).status === 0;
  if (!isThere) console.warn(`NOT TESTED: completion in ${shell}, which is not installed`);
  return isThere;
}

describe.each(["bash", "zsh", "fish"] as const)("completion for %s", (shell) => {
  const runs = isInstalled(shell);

  it("knows every command and every option", () => {
    for (const { path, options } of tree) {
      if (path.length > 0) expect(scripts[shell]).toContain(path.at(-1));
      for (const { flag } of options) {
        expect(scripts[shell]).toContain(shell === "fish" ? `-l ${flag.slice(2)}` : flag);
      }
    }
  });

  it.runIf(runs).each<[readonly string[], readonly string[]]>([
    [["coterie", "comp"], ["completion"]],
    [["coterie", "bu"], ["bucket"]],
    [
      ["coterie", "bucket", ""],
      ["create", "list", "set", "show"],
    ],
    [["coterie", "bucket", "show", "--co"], ["--count"]],
    [["coterie", "dev", "--nodes", "5", "ki"], ["kill"]],
    [["coterie", "start", "--seg"], ["--segment-bytes"]],
    [["coterie", "get", "--js"], ["--json"]],
    [["coterie", "import", "x", "--mode", "re"], ["replace"]],
    [["coterie", "config", "c"], ["check"]],
  ])("completes %o", (words, expected) => {
    const found = offered(shell, words).filter(
      (word) => expected[0]?.startsWith("-") || !word.startsWith("-"),
    );
    expect(found).toEqual(expected);
  });
});
