import { spawnSync } from "node:child_process";
import { type SwarmKnobs, timeline, turnedKnobs } from "@coterie/sim";
import type { CaseResult } from "./run-case.ts";

/** Everything that somebody else needs to see the same failure, and its last events. */
export function describeFailure({ seed, knobs, failure, trace }: CaseResult): string {
  return [
    `seed ${seed} FAILED at ${commit()}, node ${process.version}`,
    ...(failure?.violations ?? []).map((line) => `  ${line.replaceAll("\n", "\n    ")}`),
    `  knobs: ${JSON.stringify(knobs)}`,
    `  the last ${trace.length} events:`,
    ...timeline(trace, true).map((line) => `  ${line}`),
    `  replay: ${replayCommand(seed, knobs)}`,
    "",
  ].join("\n");
}

/** The command that runs this case again, and shows it. */
export function replayCommand(seed: number, knobs: SwarmKnobs): string {
  const turned = turnedKnobs(seed, knobs);
  const turning = Object.keys(turned).length === 0 ? "" : ` --knobs '${JSON.stringify(turned)}'`;
  return `npm run sim:replay -- ${seed}${turning} --trace`;
}

function commit(): string {
  const git = (...args: readonly string[]): string =>
    spawnSync("git", args, { encoding: "utf8" }).stdout?.trim() ?? "";
  const head = git("rev-parse", "--short", "HEAD");
  if (head === "") return "an unknown commit";
  return git("status", "--porcelain") === "" ? `commit ${head}` : `commit ${head} and changes`;
}
