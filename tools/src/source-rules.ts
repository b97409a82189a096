import type { SourceFile, SourceTree, TidyRule } from "./source-tree.ts";

const fileLinesMax = 600;
const lineLengthMax = 100;

/** Words are put together here so that this file does not contain them. */
const word = (...parts: readonly string[]): string => parts.join("");

const leftovers = [word("FIX", "ME"), word("TO", "DO"), word("X", "XX")];
const silencers = [
  word("oxlint", "-disable"),
  word("eslint", "-disable"),
  word("@ts", "-ignore"),
  word("@ts", "-expect-error"),
  word("@ts", "-nocheck"),
];
const skips = /\b(?:it|test|describe)(?:\.each)?\.(?:skip|only|todo|fails)\b/u;
const vagueFileNames = /(?:^|[/-])(?:utils?|helpers?|common|misc|manager|impl)(?:[.-]|$)/u;
const vagueNames = new RegExp(
  [
    `\\b(?:class|interface|type|const|function)\\s+\\w+${word("Im", "pl")}\\b`,
    "\\binterface\\s+I[A-Z][a-z]\\w*",
    `\\b${word("mas", "ter")}\\b`,
    `\\b${word("sla", "ve")}s?\\b`,
  ].join("|"),
  "iu",
);
const prefixed = /\binterface\s+I[A-Z][a-z]/u;

const isScript = ({ path }: SourceFile): boolean => /\.(?:ts|js|cjs)$/u.test(path);
const isTypeScript = ({ path }: SourceFile): boolean => path.endsWith(".ts");
const isPure = ({ path }: SourceFile): boolean =>
  /^packages\/(?:core|ports|storage|cluster)\/src\//u.test(path);

/** Reports each line of the chosen files for which `judge` has a complaint. */
function byLine(
  choose: (file: SourceFile) => boolean,
  judge: (line: string) => string | undefined,
): TidyRule {
  return (tree) =>
    tree.filter(choose).flatMap(({ path, text }) =>
      text.split("\n").flatMap((line, at) => {
        const complaint = judge(line);
        return complaint === undefined ? [] : [`${path}:${at + 1}: ${complaint}`];
      }),
    );
}

function contained(words: readonly string[], line: string): string | undefined {
  const found = words.find((each) => line.includes(each));
  return found === undefined ? undefined : `contains ${found}`;
}

function vagueName(line: string): string | undefined {
  // The prefix is judged with its case, everything else without.
  const found = vagueNames.exec(line)?.[0];
  if (found === undefined || (/^interface\s/iu.test(found) && !prefixed.test(line)))
    return undefined;
  return `is named "${found}"`;
}

function longFiles(tree: SourceTree): readonly string[] {
  return tree.filter(isScript).flatMap(({ path, text }) => {
    const lines = text.split("\n").length - 1;
    return lines > fileLinesMax ? [`${path}:${lines}: is longer than ${fileLinesMax} lines`] : [];
  });
}

/** Rules about how code is written. */
export const sourceRules: Readonly<Record<string, TidyRule>> = {
  "a file has at most 600 lines": longFiles,
  "a line has at most 100 characters": byLine(isTypeScript, (line) =>
    line.length > lineLengthMax ? `has ${line.length} characters` : undefined,
  ),
  "nothing is left for later": byLine(isScript, (line) => contained(leftovers, line)),
  "no check is silenced": byLine(isScript, (line) => contained(silencers, line)),
  "no test is skipped": byLine(
    ({ path }) => path.endsWith(".test.ts"),
    (line) => (skips.test(line) ? "skips a test" : undefined),
  ),
  "a file is named after its concept": (tree) =>
    tree
      .filter(isScript)
      .flatMap(({ path }) =>
        vagueFileNames.test(path.slice(path.lastIndexOf("/") + 1))
          ? [`${path}:1: says nothing`]
          : [],
      ),
  "a name says what it means": byLine(isScript, vagueName),
  "pure modules hold no state": byLine(isPure, (line) =>
    /^(?:export )?(?:let|var)\s/u.test(line) ? "is a module-level variable" : undefined,
  ),
  "pure modules import nothing of Node": byLine(isPure, (line) =>
    /(?:from|import)\s*\(?\s*"node:/u.test(line) ? "imports a Node built-in" : undefined,
  ),
};
