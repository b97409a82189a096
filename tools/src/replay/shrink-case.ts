import { type SwarmKnobs, shrink } from "@coterie/sim";
import { type CaseResult, runCase } from "./run-case.ts";

/** Runs that shrinking one case may take. */
const runsMaxDefault = 3000;

/** The smallest case found that fails at the same checker. */
export async function shrinkCase(
  { seed, knobs, failure }: CaseResult,
  runsMax: number = runsMaxDefault,
): Promise<SwarmKnobs> {
  const fails = async (smaller: SwarmKnobs): Promise<boolean> => {
    const again = await runCase(seed, { knobs: smaller, traceLinesMax: 1 });
    return again.failure?.checker === failure?.checker;
  };
  return (await shrink(knobs, fails, runsMax)).knobs;
}

/** What is left of a case, in words. */
export function describeShrunk({ kept, operations, faults, nodes }: SwarmKnobs): string {
  const kinds = Object.entries(faults).map(([kind, count]) => `${count} x ${kind}`);
  const struck = kinds.length === 0 ? "no faults" : kinds.join(", ");
  return `${kept?.length ?? operations} operations, ${nodes} nodes, ${struck}`;
}

/**
 * The case as a script: under code that keeps its promises it says so. All knobs are in it, since
 * what a seed draws changes with every fault that is added.
 */
export function scenarioOf(story: string, seed: number, knobs: SwarmKnobs): string {
  return `# ${story}\nseed ${seed} ${JSON.stringify(knobs)}\n  every promise kept\n`;
}
