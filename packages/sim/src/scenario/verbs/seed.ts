import { simulate } from "../../simulation.ts";
import type { SwarmKnobs } from "../../swarm-knobs.ts";
import { type Arguments, ScenarioError } from "../arguments.ts";
import type { Lines, Stage } from "../stage.ts";

type Optional = {
  [Knob in keyof SwarmKnobs]-?: undefined extends SwarmKnobs[Knob] ? Knob : never;
}[keyof SwarmKnobs];

/** All that a run may go without: a case from before there was such a knob stays what it was. */
const without: Readonly<Record<Optional, undefined>> = {
  kept: undefined,
  hotKeys: undefined,
  reaping: undefined,
  topology: undefined,
  hotReadsPerSecond: undefined,
  recordsUnderWayMax: undefined,
  keepExpiredMs: undefined,
};

/**
 * `seed N KNOBS`: runs a simulation with these knobs, as JSON, in the place of what it draws. Where
 * they are all there, down to the number of nodes, what is left out is not drawn either.
 */
export async function seed(stage: Stage, args: Arguments): Promise<Lines> {
  const number = Number(args.word("a seed"));
  const knobs = knobsOf(args.rest().join(" "));
  args.end();
  const { drain, turns } = stage;
  const { violations } = await simulate({ seed: number, drain, turns, knobs });
  if (violations.length === 0) return ["every promise kept"];
  return violations.map(({ checker, key, detail }) => `${checker}: ${key}: ${detail}`);
}

function knobsOf(json: string): Partial<SwarmKnobs> {
  try {
    const knobs = JSON.parse(json) as Partial<SwarmKnobs>;
    return knobs.nodes === undefined ? knobs : { ...without, ...knobs };
  } catch {
    throw new ScenarioError("knobs are an object in JSON");
  }
}
