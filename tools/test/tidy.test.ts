import { describe, expect, it } from "vitest";
import { readSourceTree } from "../src/source-tree.ts";
import { tidyRules } from "../src/tidy.ts";

const root = new URL("../..", import.meta.url).pathname;
const tree = readSourceTree(root);

const core = "packages/core/src/";
const lock = JSON.stringify({
  packages: Object.fromEntries(Array.from({ length: 81 }, (_, at) => [`node_modules/p${at}`, {}])),
});

/** Joins what must not stand in this file, which the rules read too. */
const apart = (...parts: readonly string[]): string => parts.join("");

/** One violation per rule, and what the finding must say. */
const planted: readonly (readonly [rule: string, path: string, text: string, finding: string])[] = [
  ["a file has at most 600 lines", `${core}long.ts`, "//\n".repeat(601), "601"],
  ["a line has at most 100 characters", `${core}wide.ts`, `// ${"x".repeat(98)}`, "101"],
  ["nothing is left for later", `${core}later.ts`, `// ${apart("FIX", "ME")} soon`, "later.ts:1"],
  ["no check is silenced", `${core}quiet.ts`, `// ${apart("@ts", "-ignore")}`, "ignore"],
  [
    "no test is skipped",
    "packages/core/test/x.test.ts",
    `${apart("it", ".skip")}("later")`,
    "skips",
  ],
  ["a file is named after its concept", `${core}string-utils.ts`, "", "string-utils"],
  ["a name says what it means", `${core}store.ts`, `class ${apart("StoreIm", "pl")} {}`, "Store"],
  [
    "a name says what it means",
    `${core}store.ts`,
    `interface ${apart("I", "Store")} {}`,
    "interface",
  ],
  ["a name says what it means", `${core}store.ts`, `const name = "${apart("mas", "ter")}";`, "mas"],
  ["pure modules hold no state", `${core}state.ts`, "\nlet count = 0;", "state.ts:2"],
  ["pure modules import nothing of Node", `${core}disk.ts`, `import fs from "node:fs";`, "disk"],
  ["the documents of the house exist", "NOTES.md", "", "README.md"],
  ["links resolve", "README.md", "[there](docs/nowhere.md)", "docs/nowhere.md"],
  ["links resolve", "README.md", "# Here\n[there](#elsewhere)", "#elsewhere"],
  ["every error code is explained", `${core}errors.ts`, 'export type ErrorCode = "odd";', "odd"],
  ["every metric is explained", "packages/server/src/m.ts", '"coterie_odd_total"', "odd_total"],
  [
    "every event of the log is explained",
    "packages/server/src/l.ts",
    'log.info({ event: "odd-thing" }, "odd")',
    "odd-thing",
  ],
  ["every log line names its event", "packages/server/src/l.ts", 'log.warn("odd")', "l.ts:1"],
  [
    "every metric is explained",
    "packages/server/src/m.ts",
    'gauge(\n  "strange_bytes", "x")',
    "coterie_strange_bytes",
  ],
  [
    "every parser is fuzzed, or excused",
    `${core}odd.ts`,
    "export function decodeOdd(bytes: Uint8Array): Odd {",
    "decodeOdd",
  ],
  ["every fuzz target is explained", "packages/core/test/fuzz/odd.target.ts", "", "odd"],
  ["every explained fuzz target is there", "docs/internals/fuzzing.md", "| `odd` | x |", "odd"],
  [
    "every listed behaviour is named by its test",
    "docs/internals/behaviours.md",
    "| 9 | put then get | `packages/core/test/none.test.ts` |",
    "behaviour 9",
  ],
  [
    "nothing refers to a place outside the repository",
    "README.md",
    `see ${apart("/wo", "rk/")}notes`,
    "README.md",
  ],
  ["versions are exact", "package.json", '{ "dependencies": { "left": "^1.0.0" } }', "^1.0.0"],
  ["at most 80 packages go into production", "package-lock.json", lock, "81"],
];

describe("the house rules", () => {
  it.each(Object.entries(tidyRules))("hold: %s", (_, rule) => {
    expect(rule(tree)).toEqual([]);
  });

  it("read the whole repository", () => {
    expect(tree.length).toBeGreaterThan(100);
  });
});

describe("the checker of the house rules", () => {
  it.each(planted)("finds a violation of: %s (%s)", (name, path, text, finding) => {
    expect(tidyRules[name]?.([{ path, text }]).join("\n")).toContain(finding);
  });

  it("has a planted violation for every rule", () => {
    expect(new Set(planted.map(([name]) => name))).toEqual(new Set(Object.keys(tidyRules)));
  });
});
