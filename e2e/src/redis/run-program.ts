import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";

export interface ProgramResult {
  readonly code: number | null;
  /** What it wrote to both, in the order of arrival; without colours. */
  readonly output: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** It is killed after that long, with what it started. */
  readonly secondsMax: number;
}

/** Runs a program to its end; `timeout` ends it where it would not end by itself. */
export function runProgram(
  words: readonly string[],
  { cwd, input = "", environment = {}, secondsMax }: ProgramOptions,
): Promise<ProgramResult> {
  const child = spawn("timeout", ["--kill-after=2", String(secondsMax), ...words], {
    cwd,
    // Debian's Python, whatever else is installed.
    env: { ...process.env, PATH: `/usr/bin:${process.env["PATH"] ?? ""}`, ...environment },
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("latin1")));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("latin1")));
  // A program may end before it has read all of it.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output: stripVTControlCharacters(output) }));
  });
}
