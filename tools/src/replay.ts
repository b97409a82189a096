// Runs one seed again, shows how it went, and shrinks a case that fails; see `usage`.
import { writeFileSync } from "node:fs";
import { timeline } from "@coterie/sim";
import { describeFailure, replayCommand } from "./replay/describe-failure.ts";
import { readOptions, usage } from "./replay/options.ts";
import { type CaseResult, runCase } from "./replay/run-case.ts";
import { describeShrunk, scenarioOf, shrinkCase } from "./replay/shrink-case.ts";

/** More than any run has. */
const allLines = 10_000_000;
const lastLines = 50;

async function showShrunk(result: CaseResult, file: string | undefined): Promise<void> {
  process.stdout.write(`shrinking seed ${result.seed} ...\n`);
  const knobs = await shrinkCase(result);
  process.stdout.write(`  left: ${describeShrunk(knobs)}\n`);
  process.stdout.write(`  replay: ${replayCommand(result.seed, knobs)}\n`);
  const { failure } = result;
  if (file === undefined || failure === undefined) return;
  const story = `Shrunk from a seed that ${failure.checker} objected to.`;
  writeFileSync(file, scenarioOf(story, result.seed, knobs));
}

const options = readOptions(process.argv.slice(2));
if (options === undefined) {
  process.stderr.write(usage);
  process.exit(2);
}
const { seed, knobs, trace, detail, shrink, write } = options;
const result = await runCase(seed, { knobs, traceLinesMax: trace ? allLines : lastLines });
if (trace) process.stdout.write(`${timeline(result.trace, detail).join("\n")}\n`);
const { failure, operations, faults, traceHash } = result;
if (failure === undefined) {
  const struck = Object.values(faults).reduce((sum, count) => sum + count, 0);
  process.stdout.write(`${operations} operations, ${struck} faults, trace ${traceHash}: kept\n`);
} else {
  process.stdout.write(describeFailure({ ...result, trace: result.trace.slice(-lastLines) }));
  if (shrink) await showShrunk(result, write);
}
process.exit(failure === undefined ? 0 : 1);
