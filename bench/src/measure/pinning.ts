import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** Where servers run and where all else does. */
export interface Pinning {
  readonly servers: string;
  readonly generators: string;
}

/** The last core for the generators, the others for the servers; or why that cannot be. */
export function pinningFor(cores: number = availableParallelism()): Pinning | string {
  if (cores < 2) return "there is only one core";
  const { error } = spawnSync("taskset", ["--version"]);
  if (error !== undefined) return "taskset is missing (apt-get install util-linux)";
  return { servers: cores === 2 ? "0" : `0-${cores - 2}`, generators: String(cores - 1) };
}

/** Keeps processes, with all their threads and those to come, on `cores`. */
export function pin(pids: readonly number[], cores: string): void {
  for (const pid of pids) {
    const { status, stderr } = spawnSync("taskset", ["-a", "-c", "-p", cores, String(pid)]);
    if (status !== 0) throw new Error(`cannot pin process ${pid}: ${String(stderr)}`);
  }
}
