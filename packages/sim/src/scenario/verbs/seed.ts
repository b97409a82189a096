import { simulate } from "../../simulation.ts";
import type { SwarmKnobs } from "../../swarm-knobs.ts";
import { type Arguments, ScenarioError } from "../arguments.ts";
import type { Lines, Stage } from "../stage.ts";

/** `seed N KNOBS`: runs a simulation with these knobs, as JSON, in the place of what it draws. */
export async function seed(stage: Stage, args: Arguments): Promise<Lines> {
  const number = Number(args.word("a seed"));
  const knobs = knobsOf(args.rest().join(" "));
  args.end();
  const { violations } = await simulate({ seed: number, drain: stage.drain, knobs });
  if (violations.length === 0) return ["every promise kept"];
  return violations.map(({ checker, key, detail }) => `${checker}: ${key}: ${detail}`);
}

function knobsOf(json: string): Partial<SwarmKnobs> {
  try {
    return JSON.parse(json) as Partial<SwarmKnobs>;
  } catch {
    throw new ScenarioError("knobs are an object in JSON");
  }
}
