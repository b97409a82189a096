import { type Command, CommanderError } from "commander";
import { say } from "./say.ts";

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
    say(`${program.name()}: ${(error as Error).message}`);
    return 1;
  }
}

/**
 * Runs a program that judges what it finds: 1 also if that is less than it should be.
 * @param run is given the options of the program, which nobody checks against its own type.
 */
export function runJudged(
  program: Command,
  words: readonly string[],
  run: (options: never) => Promise<boolean>,
): Promise<number> {
  let isGood = true;
  program.action(async (options) => {
    isGood = await run(options as never);
  });
  return runProgram(program, words, () => (isGood ? 0 : 1));
}
