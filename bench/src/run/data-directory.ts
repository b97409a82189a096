import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { requireDisk } from "../measure/machine.ts";

/** Makes the directory that `--data` names, if it is not there; refuses one kept in memory. */
export function makeDataDirectory(data: string): string {
  const directory = resolve(data);
  mkdirSync(directory, { recursive: true });
  requireDisk(directory);
  return directory;
}

/** Makes a folder for one run in that directory. */
export function makeRunDirectory(data: string, name: string): string {
  return mkdtempSync(join(makeDataDirectory(data), `${name}-`));
}

/** Does something in such a folder, and removes that, whatever comes of it. */
export async function inRunDirectory<Result>(
  data: string,
  name: string,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = makeRunDirectory(data, name);
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
