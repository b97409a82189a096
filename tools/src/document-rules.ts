import { dirname, join } from "node:path/posix";
import type { SourceFile, SourceTree, TidyRule } from "./source-tree.ts";

const required = [
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "docs/decisions/README.md",
  "docs/guide/errors.md",
  "docs/internals/behaviours.md",
];

/** Places outside the repository, put together so that this file does not name them. */
const elsewhere = [["/wo", "rk/"].join(""), ["sha", "red/"].join("")];

const find = (tree: SourceTree, path: string): SourceFile | undefined =>
  tree.find((file) => file.path === path);

/** The anchors of a page, as GitHub makes them from headings, and explicit ones. */
function anchorsOf(text: string): Set<string> {
  const headings = text.matchAll(/^#{1,6} +(.+)$/gmu);
  const anchors = new Set<string>();
  for (const [, heading = ""] of headings) {
    const plain = heading.replaceAll(/[`*]|\[|\]\([^)]*\)/gu, "").toLowerCase();
    anchors.add(plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(/\s/gu, "-"));
  }
  for (const [, name = ""] of text.matchAll(/<a (?:id|name)="([^"]+)"/gu)) anchors.add(name);
  return anchors;
}

function brokenLinks(tree: SourceTree): readonly string[] {
  const paths = new Set(tree.map(({ path }) => path));
  const isFolder = (path: string): boolean =>
    tree.some((file) => file.path.startsWith(`${path.replace(/\/$/u, "")}/`));
  const broken = (page: SourceFile, target: string): boolean => {
    const [file = "", anchor] = target.split("#");
    const path = file === "" ? page.path : join(dirname(page.path), file);
    if (!paths.has(path)) return !isFolder(path);
    if (anchor === undefined || !path.endsWith(".md")) return false;
    return !anchorsOf(find(tree, path)?.text ?? "").has(anchor);
  };
  return tree
    .filter(({ path }) => path.endsWith(".md"))
    .flatMap((page) =>
      [...page.text.replaceAll(/```[^]*?```/gu, "").matchAll(/\]\(([^)\s]+)\)/gu)]
        .map(([, target = ""]) => target)
        .filter((target) => !/^[a-z]+:/u.test(target) && broken(page, target))
        .map((target) => `${page.path}:1: links to ${target}, which is not there`),
    );
}

/** Names that the code declares and a page must explain, each in backticks. */
function undocumented(names: (tree: SourceTree) => Iterable<string>, page: string): TidyRule {
  return (tree) => {
    const text = find(tree, page)?.text ?? "";
    return [...new Set(names(tree))]
      .filter((name) => !text.includes(`\`${name}\``))
      .map((name) => `${page}:1: does not explain ${name}`);
  };
}

const errorCodes = (tree: SourceTree): string[] => {
  const text = find(tree, "packages/core/src/errors.ts")?.text ?? "";
  const union = /export type ErrorCode =([^;]*);/u.exec(text)?.[1] ?? "";
  return [...union.matchAll(/"([a-z-]+)"/gu)].map(([, code = ""]) => code);
};

/** Names as prom-client gets them, and as our own readings give them, without the prefix. */
const metricNames = (tree: SourceTree): string[] =>
  tree
    .filter(({ path }) => path.startsWith("packages/server/src/"))
    .flatMap(({ text }) => [
      ...[...text.matchAll(/"(coterie_[a-z0-9_]+)"/gu)].map(([, name = ""]) => name),
      ...[...text.matchAll(/\b(?:counter|gauge|histogram)\(\s*"([a-z0-9_]+)"/gu)].map(
        ([, name = ""]) => `coterie_${name}`,
      ),
    ]);

/** Names of log lines: the field that every call of the log begins with. */
const logEvents = (tree: SourceTree): string[] =>
  serverSources(tree).flatMap(({ text }) =>
    [
      ...text.matchAll(
        /\blog\.(?:trace|debug|info|warn|error|fatal)\(\s*\{\s*event: "([a-z-]+)"/gu,
      ),
    ].map(([, name = ""]) => name),
  );

const serverSources = (tree: SourceTree): SourceTree =>
  tree.filter(({ path }) => path.startsWith("packages/server/src/"));

/** A line without a name cannot be searched for, nor counted on. */
const namelessLogLines: TidyRule = (tree) =>
  serverSources(tree).flatMap(({ path, text }) =>
    [...text.matchAll(/\blog\.(?:trace|debug|info|warn|error|fatal)\((?!\s*\{\s*event: ")/gu)].map(
      ({ index }) => `${path}:${text.slice(0, index).split("\n").length}: logs without an event`,
    ),
  );

/** Lines "| 8 | ... | `path/of.test.ts` |" of the list name a test that names the behaviour. */
function unnamedBehaviours(tree: SourceTree): readonly string[] {
  const page = "docs/internals/behaviours.md";
  const lines = (find(tree, page)?.text ?? "").split("\n");
  return lines.flatMap((line, at) => {
    const [, number = "", path = ""] = /^\| (\d+) \|.*`([^`]+\.test\.ts)` \|$/u.exec(line) ?? [];
    if (number === "") return [];
    const test = find(tree, path)?.text;
    const isNamed = test !== undefined && new RegExp(`["'\`]behaviour ${number}:`, "u").test(test);
    return isNamed ? [] : [`${page}:${at + 1}: ${path} names no behaviour ${number}`];
  });
}

const fuzzingPage = "docs/internals/fuzzing.md";

/** What packages export under a name that says that it reads foreign input. */
const parsers = (tree: SourceTree): string[] =>
  tree
    .filter(({ path }) => /^packages\/[a-z]+\/src\/.*\.ts$/u.test(path))
    .flatMap(({ text }) => [
      ...text.matchAll(/^export (?:async )?function ((?:decode|parse)[A-Z]\w*)/gmu),
    ])
    .map(([, name = ""]) => name);

const fuzzTargetName = /^packages\/[a-z]+\/test\/fuzz\/([a-z-]+)\.target\.ts$/u;

/** Every target in the table's second column is there. */
function missingTargets(tree: SourceTree): readonly string[] {
  const names = new Set(tree.map(({ path }) => fuzzTargetName.exec(path)?.[1]));
  return (find(tree, fuzzingPage)?.text ?? "").split("\n").flatMap((line, at) => {
    const [, name = ""] = /^\| `([a-z-]+)` \|/u.exec(line) ?? [];
    return name === "" || names.has(name)
      ? []
      : [`${fuzzingPage}:${at + 1}: there is no target ${name}`];
  });
}

const fuzzTargets = (tree: SourceTree): string[] =>
  tree.flatMap(({ path }) => fuzzTargetName.exec(path)?.[1] ?? []);

/** Rules about what is written for readers. */
export const documentRules: Readonly<Record<string, TidyRule>> = {
  "the documents of the house exist": (tree) =>
    required
      .filter((path) => find(tree, path) === undefined)
      .map((path) => `${path}:1: is missing`),
  "links resolve": brokenLinks,
  "every error code is explained": undocumented(errorCodes, "docs/guide/errors.md"),
  "every metric is explained": undocumented(metricNames, "docs/operations/metrics.md"),
  "every parser is fuzzed, or excused": undocumented(parsers, fuzzingPage),
  "every fuzz target is explained": undocumented(fuzzTargets, fuzzingPage),
  "every explained fuzz target is there": missingTargets,
  "every event of the log is explained": undocumented(logEvents, "docs/operations/logs.md"),
  "every log line names its event": namelessLogLines,
  "every listed behaviour is named by its test": unnamedBehaviours,
  "nothing refers to a place outside the repository": (tree) =>
    tree.flatMap(({ path, text }) =>
      elsewhere
        .filter((place) => text.includes(place))
        .map((place) => `${path}:1: mentions ${place}`),
    ),
};
