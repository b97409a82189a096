import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeDirectory } from "../../src/adapters/make-directory.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "coterie-make-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

it("makes what is missing, for this user only", () => {
  const path = join(directory, "a", "b");
  makeDirectory(path);
  makeDirectory(path);
  for (const each of [path, join(directory, "a")]) expect(statSync(each).mode & 0o777).toBe(0o700);
});

it("says so where there is a file", () => {
  const file = join(directory, "file");
  writeFileSync(file, "");
  expect(() => makeDirectory(file)).toThrow("EEXIST");
  expect(() => makeDirectory(join(file, "n1"))).toThrow("ENOTDIR");
});

it.runIf(existsSync("/proc/self"))("ends where no directories are made", () => {
  expect(() => makeDirectory("/proc/coterie/n1")).toThrow("ENOENT");
});
