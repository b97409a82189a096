import { setTimeout as sleep } from "node:timers/promises";
import { CliFailure, exitCodes } from "../exit.ts";
import { jsonOf } from "../http/cluster.ts";
import { reportedFailure } from "../http/failure.ts";
import type { NodePool } from "../http/node-pool.ts";
import type { TopologyView } from "../http/topology.ts";
import { durationText } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { showLine } from "../transfer/progress-line.ts";
import { ownProgress } from "./own-progress.ts";
import { movesText } from "./plan-text.ts";

const POLL_MS = 200;
/** How often each node is asked how far it is, and how long it may take to say so. */
const OWN_MS = 2000;
/** Nodes that say nothing for so long are given up; what moves, goes on moving. */
const SILENCE_MS = 30_000;

/** How far moves are that began with so many steps left. */
interface Course {
  readonly beganMs: number;
  readonly stepsAtFirst: number;
}

/**
 * Shows what moves until nothing does any more, under version `epoch` of the document or a later
 * one.
 */
export async function untilQuiet(
  pool: NodePool,
  terminal: Terminal,
  epoch: number,
): Promise<TopologyView> {
  let view: TopologyView | undefined;
  let problem = "";
  let course: Course | undefined;
  let heardMs = performance.now();
  let lines: readonly string[] = [];
  let linesMs = Number.NEGATIVE_INFINITY;
  const progress = showLine(terminal, () => {
    return [progressText(view, course, problem), ...lines].join("; ");
  });
  try {
    for (;;) {
      const answer = await pool.sendInTurn({ method: "GET", path: "/v1/topology" }, 5000);
      if (answer.ok && answer.reply.status === 200) {
        view = jsonOf("topology", answer.reply) as TopologyView;
        heardMs = performance.now();
        problem = "";
        if (view.epoch >= epoch && stepsIn(view) === 0) return view;
        course ??= { beganMs: heardMs, stepsAtFirst: stepsIn(view) };
        if (heardMs - linesMs > OWN_MS) {
          lines = await ownProgress(pool, view, OWN_MS);
          linesMs = performance.now();
        }
      } else {
        problem = answer.ok
          ? reportedFailure(answer.reply).message
          : answer.misses.map(({ node, message }) => `${node.host}: ${message}`).join("; ");
        if (performance.now() - heardMs > SILENCE_MS) {
          const message = `no node says how far the moves are (${problem})`;
          throw new CliFailure(exitCodes.unavailable, message, "coterie topology --wait");
        }
      }
      await sleep(POLL_MS);
    }
  } finally {
    progress.stop();
  }
}

/** What is left to do: partitions to arrive at each new owner, and copies to be dropped. */
function stepsIn({ members, leftovers }: TopologyView): number {
  return members.reduce((sum, { awaits }) => sum + awaits, leftovers);
}

function progressText(
  view: TopologyView | undefined,
  course: Course | undefined,
  problem: string,
): string {
  if (problem !== "") return `waiting for a node to answer: ${problem}`;
  if (view === undefined || course === undefined) return "asking what moves";
  const left = stepsIn(view);
  const done = course.stepsAtFirst - left;
  const seconds = (performance.now() - course.beganMs) / 1000;
  const parts = [movesText(view) ?? "nothing moves"];
  if (done > 0 && seconds > 0) {
    parts.push(`${(done / seconds).toFixed(1)}/s`);
    parts.push(`${durationText((left / done) * seconds * 1000)} left`);
  }
  for (const { id, state, awaits } of view.members) {
    if (state !== "alive" && awaits > 0) parts.push(`${id} is ${state}`);
  }
  return parts.join("  ");
}
