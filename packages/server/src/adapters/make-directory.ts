import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Everybody's data is in it: for this user only. */
const directoryMode = 0o700;

/**
 * Makes a directory, and those above it that are missing; throws the system's error. Not by
 * `mkdir` with `recursive`: that never ends where a file system has the parent and makes no
 * directories in it, as under `/proc` (it takes `ENOENT` for a missing parent, again and again).
 */
export function makeDirectory(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); !isDirectory(at); at = dirname(at)) missing.push(at);
  for (const each of missing.toReversed()) {
    try {
      mkdirSync(each, { mode: directoryMode });
    } catch (error) {
      // Somebody else made it meanwhile; a file of that name is no directory.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !isDirectory(each)) throw error;
    }
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
