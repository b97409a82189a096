import type { Turns } from "../world.ts";
import { Arguments, ScenarioError } from "./arguments.ts";
import { type Lines, Stage } from "./stage.ts";
import { acts, stories } from "./verbs.ts";

/** What precedes each line of expected output. */
const indent = "  ";

/**
 * Runs a script and returns it with the output it gave in the place of the one it expected: equal
 * texts mean that all went as expected, and another text is what the script has to say from now on.
 *
 * A script is lines. `# …` tells the story; `verb word name=value &label` is a command, in the
 * first column; indented lines below it are its output.
 *
 * @param turns used in place of `drain` between events, if given. What happens is the same.
 * @throws ScenarioError where the script itself is wrong.
 */
export async function runScenario(
  script: string,
  drain: () => Promise<void>,
  turns?: Turns,
): Promise<string> {
  const stage = new Stage(drain, turns);
  const told: string[] = [];
  for (const [at, line] of script.split("\n").entries()) {
    if (line.startsWith(indent)) continue;
    told.push(line);
    if (line === "" || line.startsWith("#")) continue;
    const output = await inLine(at + 1, () => perform(stage, new Arguments(line)));
    for (const each of output) told.push(indent + each);
  }
  const [forgotten] = stage.pending.keys();
  if (forgotten !== undefined) throw new ScenarioError(`nobody awaits ${forgotten}`);
  return told.join("\n");
}

async function perform(stage: Stage, args: Arguments): Promise<Lines> {
  const { verb, label } = args;
  if (verb === "await") return awaitLabel(stage, args);
  const act = acts.get(verb);
  if (act !== undefined) {
    if (label !== undefined) throw new ScenarioError(`${verb} cannot run in the background`);
    return act(stage, args);
  }
  const story = stories.get(verb);
  if (story === undefined) throw new ScenarioError(`there is no verb ${verb}`);
  const { world, pending } = stage;
  const lines = story(stage, args);
  if (label === undefined) return world.runUntilSettled(lines);
  if (pending.has(label)) throw new ScenarioError(`${label} is pending already`);
  pending.set(label, lines);
  // Whoever awaits the label meets what went wrong.
  lines.catch(() => undefined);
  return [];
}

/** `await LABEL`: what the command in the background gave, once it has. */
async function awaitLabel(stage: Stage, args: Arguments): Promise<Lines> {
  const label = args.word("a label");
  args.end();
  const pending = stage.pending.get(label);
  if (pending === undefined) throw new ScenarioError(`nothing is pending as ${label}`);
  stage.pending.delete(label);
  return stage.world.runUntilSettled(pending);
}

async function inLine(line: number, run: () => Promise<Lines>): Promise<Lines> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new ScenarioError(`line ${line}: ${error.message}`);
  }
}
