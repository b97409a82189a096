import { type ParseArgsConfig, parseArgs } from "node:util";

/**
 * The words after a command, as `config` has them. Where they make no sense, or ask for help, says
 * `usage` and ends the process.
 */
export function wordsOrUsage<Config extends ParseArgsConfig>(
  usage: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  if (process.argv.slice(2).includes("--help")) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    return process.exit(2);
  }
}
