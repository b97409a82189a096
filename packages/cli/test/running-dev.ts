import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { command } from "./run-coterie.ts";

/** A `coterie dev` with its standard input closed. */
export interface RunningDev {
  readonly child: ChildProcess;
  /** All that it has printed so far. */
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  readonly stop: () => Promise<number | null>;
}

/** Starts `coterie dev` in a directory; settles when it says that it is ready. */
export async function startDev(data: string, ...words: string[]): Promise<RunningDev> {
  const child = spawn(process.execPath, [command, "dev", "--data", data, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  await until(() => output.includes("npx coterie put") || child.exitCode !== null);
  if (child.exitCode !== null) throw new Error(output);
  const stop = (): Promise<number | null> => {
    child.kill("SIGTERM");
    return ended;
  };
  return { child, output: () => output, ended, stop };
}

/** Looks until it is so. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

/** The HTTP addresses of the cluster's nodes. */
export function nodeUrls(data: string): readonly string[] {
  const { nodes } = JSON.parse(readFileSync(join(data, "endpoints.json"), "utf8"));
  return nodes.map(({ http }: { http: string }) => `http://${http}`);
}
