import { spawn } from "node:child_process";
import { buffer, text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** The built command. */
export const command: string = fileURLToPath(new URL("../bin/coterie.js", import.meta.url));

/** How a run of the command ended. */
export interface Run {
  readonly exit: number | null;
  readonly stdout: string;
  readonly bytes: Buffer;
  readonly stderr: string;
}

/** Runs `coterie` to its end. */
export async function coterie(
  words: readonly string[],
  options: { readonly input?: string | Buffer; readonly env?: Record<string, string> } = {},
): Promise<Run> {
  const child = spawn(process.execPath, [command, ...words], {
    stdio: "pipe",
    env: { ...process.env, COTERIE_NODES: "", ...options.env },
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [bytes, stderr, exit] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    ended,
  ]);
  return { exit, stdout: bytes.toString("utf8"), bytes, stderr };
}
