import { CommanderError } from "commander";
import { CliFailure, exitCodes, type ExitCode } from "./exit.ts";
import { newProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

// A reader that went away, as in `coterie export | head`, ends the command without a stack trace.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.failure);
});

process.exitCode = await run(process.argv.slice(2));

async function run(words: readonly string[]): Promise<ExitCode> {
  let exit: ExitCode = exitCodes.ok;
  const program = newProgram((code) => {
    exit = code;
  });
  try {
    await program.parseAsync(words, { from: "user" });
    return exit;
  } catch (error) {
    // Commander has printed its own message; only --help and --version are no mistakes.
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    return explain(error);
  }
}

function explain(error: unknown): ExitCode {
  const terminal = processTerminal();
  if (error instanceof CliFailure) {
    terminal.say(`${terminal.paint("red", "coterie:")} ${error.message}`);
    if (error.next !== undefined) terminal.say(`  try: ${error.next}`);
    return error.exit;
  }
  terminal.say(`${terminal.paint("red", "coterie:")} ${(error as Error).stack ?? String(error)}`);
  terminal.say("  this is a defect of Coterie; please report it with the lines above");
  return exitCodes.failure;
}
