import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { CliFailure, exitCodes } from "../exit.ts";
import { shellQuote } from "../http/keys.ts";

/** As the setting has it. */
const PROCESSES_MAX = 99;

/**
 * How many nodes to run in a directory. `auto` is as many as it has already, and in a new one as
 * many as there are processors: a machine that comes back with fewer must not leave nodes out, nor
 * one with more bring empty ones in.
 */
export function processCount(directory: string, wanted: number | "auto"): number {
  const present = processesIn(directory);
  if (wanted === "auto") {
    return present === 0 ? Math.min(availableParallelism(), PROCESSES_MAX) : present;
  }
  if (wanted >= present) return wanted;
  throw new CliFailure(
    exitCodes.usage,
    `${directory} has nodes up to p${present}, which ${wanted} processes would leave out`,
    "have those nodes leave the cluster, then remove their directories",
  );
}

/** Refuses the directory of one node for several, which have theirs within it. */
export function checkForSeveral(directory: string): void {
  if (!existsSync(join(directory, "identity"))) return;
  throw new CliFailure(
    exitCodes.usage,
    `${directory} is the directory of one node, and several have directories within theirs`,
    "--processes 1, or another directory with --data DIR",
  );
}

/** Refuses the directory of several nodes for one, which would begin with nothing beside them. */
export function checkForOne(directory: string): void {
  const present = processesIn(directory);
  if (present === 0) return;
  const first = shellQuote(join(directory, "p1"));
  throw new CliFailure(
    exitCodes.usage,
    `${resolve(directory)} has the directories of several nodes, up to p${present}`,
    `--processes ${present} (or auto), or one node with --data ${first}`,
  );
}

/** The last one first: whatever interrupts this, `auto` finds the same number again. */
export function makeDirectories(
  directories: readonly string[],
  makeDirectory: (path: string) => void,
): void {
  for (const directory of directories.toReversed()) {
    try {
      makeDirectory(directory);
    } catch (error) {
      const problem = `the data directory ${directory}: ${(error as Error).message}`;
      throw new CliFailure(exitCodes.usage, problem, "another --data DIR");
    }
  }
}

function processesIn(directory: string): number {
  if (!existsSync(directory)) return 0;
  const numbers = readdirSync(directory).map((name) => {
    return Number(/^p([1-9]\d?)$/u.exec(name)?.[1] ?? 0);
  });
  return Math.max(0, ...numbers);
}
