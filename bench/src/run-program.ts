import { type Command, CommanderError } from "commander";

/** Runs one program of the bench: 2 for words it does not understand, 1 for what goes wrong. */
export async function runProgram(
  program: Command,
  words: readonly string[],
  exitCode: () => number = () => 0,
): Promise<number> {
  try {
    await program.exitOverride().parseAsync(words, { from: "user" });
    return exitCode();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${program.name()}: ${(error as Error).message}\n`);
    return 1;
  }
}
