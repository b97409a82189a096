import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";

/** The part of the bench that the command calls. */
interface Bench {
  /** Runs the bench as its command line says; the exit code. */
  runBench(words: readonly string[]): Promise<number>;
}

/**
 * The bench drives this very command to start its clusters, so it cannot be among what the command
 * is built from; it is looked for when it is wanted.
 */
const packageName: string = "@coterie/bench";

/** `coterie bench`: hands everything to the bench. */
export async function bench(words: readonly string[]): Promise<ExitCode> {
  const exit = await (await load()).runBench(words);
  return Object.values(exitCodes).find((code) => code === exit) ?? exitCodes.failure;
}

async function load(): Promise<Bench> {
  try {
    return (await import(packageName)) as Bench;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new CliFailure(
      exitCodes.failure,
      "the bench is not part of this installation",
      "a checkout of the repository: npm ci && npm run bench",
    );
  }
}
