import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { checkForOne } from "../processes/process-directories.ts";
import { supervise } from "../processes/supervise.ts";
import { printConfig } from "./config.ts";

/** Settings of the node by their names, as given on the command line. */
export interface StartOptions {
  readonly config?: string;
  /** Print the configuration instead of starting. */
  readonly printConfig?: boolean;
  readonly json?: boolean;
  readonly [setting: string]: unknown;
}

/** `coterie start`: runs one node, or several, until it is asked to stop. */
export async function start(options: StartOptions): Promise<ExitCode> {
  const { config: file, printConfig: isPrinting, json, ...flags } = options;
  if (isPrinting === true) return printConfig({ file, flags, json: json === true });
  // The server is most of what there is to load, and no other command needs it.
  const { loadConfig, runServer } = await import("@coterie/server");
  const loaded = loadConfig({ file, env: process.env, flags });
  if (!loaded.ok) {
    throw new CliFailure(
      exitCodes.usage,
      loaded.message,
      "`coterie start --help` lists what it takes, `coterie config check FILE` where it is wrong",
    );
  }
  const { config } = loaded;
  if (config.processes !== 1) return supervise(config, { file, flags });
  if (!config.memory) checkForOne(config.data);
  const exit = await runServer(config);
  // The lifeline of a `coterie dev` would keep this process for as long as dev lives.
  if (process.connected) process.disconnect();
  return exit === 0 ? exitCodes.ok : exitCodes.failure;
}
