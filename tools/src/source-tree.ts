import { readFileSync, readdirSync } from "node:fs";
import { extname, join, relative } from "node:path";

export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export type SourceTree = readonly SourceFile[];

/** Finds what breaks one house rule; each finding is a line "path:line: what is wrong". */
export type TidyRule = (tree: SourceTree) => readonly string[];

const folderNamesSkipped = new Set([
  ".coterie",
  ".git",
  "coverage",
  "dist",
  "dist-test",
  "generated",
  "node_modules",
  "results",
  "testdata",
  "tmp",
]);
const extensionsRead = new Set([".cjs", ".js", ".json", ".md", ".proto", ".sh", ".ts", ".yaml"]);
const namesRead = new Set(["LICENSE", "run"]);

/** Every file of ours that is text: what is committed, without what is generated or installed. */
export function readSourceTree(root: string): SourceTree {
  const files: SourceFile[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !folderNamesSkipped.has(entry.name)) visit(path);
      if (
        entry.isFile() &&
        (extensionsRead.has(extname(entry.name)) || namesRead.has(entry.name))
      ) {
        files.push({ path: relative(root, path), text: readFileSync(path, "utf8") });
      }
    }
  };
  visit(root);
  return files;
}
