import { spawnSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import { filesystemOf } from "./machine-limits.ts";

/** Where and of what a report is. */
export interface Machine {
  readonly date: string;
  /** Of the checkout; `-dirty` if files differ from it. */
  readonly commit: string;
  readonly node: string;
  readonly kernel: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Of the servers' data; null if they run elsewhere. */
  readonly filesystem: string | null;
}

/** Looks around. `directory` holds the servers' data, if they run here. */
export function lookAround(directory: string | undefined): Machine {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    commit: commitHere(),
    node: process.version,
    kernel: release(),
    processor: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memoryBytes: totalmem(),
    filesystem: directory === undefined ? null : filesystemOf(directory),
  };
}

/** The head of a report: of what and when it is, and where. */
export function machineText(directory: string): string {
  const { commit, date, node, cores, processor, filesystem } = lookAround(directory);
  return `commit ${commit}, ${date}, Node ${node}, ${cores} x ${processor}, ${filesystem ?? "?"}`;
}

/** Refuses a directory that is kept in memory: what is measured there is not durability. */
export function requireDisk(directory: string): void {
  const filesystem = filesystemOf(directory);
  if (filesystem === "tmpfs" || filesystem === "ramfs") {
    throw new Error(`${directory} is on ${filesystem}: durable writes need a disk`);
  }
}

function commitHere(): string {
  const git = (...words: readonly string[]): string | undefined => {
    const { status, stdout } = spawnSync("git", words, { cwd: import.meta.dirname });
    return status === 0 ? stdout.toString().trim() : undefined;
  };
  const commit = git("rev-parse", "--short", "HEAD");
  if (commit === undefined) return "unknown";
  return git("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit}-dirty`;
}
