import type { NodeId } from "@coterie/core";
import { type Arguments, ScenarioError, durationOf, modeOf } from "../arguments.ts";
import type { Lines, Stage } from "../stage.ts";

const silent: Lines = [];
const handoffBytesPerSecond = 8 * 1024 * 1024;
const handoffKeysMax = 100;

/**
 * `nodes 3 [seed=N] [partitions=N] [n=N] [r=N] [w=N] [mode=M] [handoff=off] [missed=N]
 * [anti-entropy=2s] [reap=1s] [hot=N]`: starts the cluster; is first. `missed` is how many missed
 * keys a node remembers; copies are compared as often as it says, or never; tombstones are reaped
 * after so long, or never; keys are hot from so many gets a second on.
 */
export async function nodes(stage: Stage, args: Arguments): Promise<Lines> {
  const count = Number(args.word("a number of nodes"));
  const seed = args.number("seed") ?? 1;
  const partitions = args.number("partitions") ?? 8;
  const quorum = { n: args.number("n"), r: args.number("r"), w: args.number("w") };
  const mode = modeOf(args.option("mode") ?? "strict");
  const handoff = {
    bytesPerSecond: args.option("handoff") === "off" ? 0 : handoffBytesPerSecond,
    keysMax: args.number("missed") ?? handoffKeysMax,
  };
  const interval = args.option("anti-entropy");
  const antiEntropy = {
    intervalMs: interval === undefined ? 0 : durationOf(interval),
    bytesPerSecond: handoffBytesPerSecond,
  };
  const hotReadsPerSecond = args.number("hot");
  const grace = args.option("reap");
  const reaping = { graceMs: grace === undefined ? undefined : durationOf(grace) };
  args.end();
  const background = { handoff, antiEntropy, reaping };
  await stage.begin({
    nodes: count,
    seed,
    partitions,
    mode,
    hotReadsPerSecond,
    ...background,
    ...quorum,
  });
  return silent;
}

/** `crash n1 [kill|power]`: with `power`, what was not synced may be gone. */
export function crash(stage: Stage, args: Arguments): Lines {
  const id = stage.node(args.word("a node"));
  const kind = args.optionalWord() ?? "kill";
  args.end();
  if (kind !== "kill" && kind !== "power") throw new ScenarioError("a crash is a kill or power");
  stage.cluster.crash(id, kind);
  return silent;
}

/** `stop n1`: the node finishes what it does and ends cleanly. */
export async function stop(stage: Stage, args: Arguments): Promise<Lines> {
  const id = stage.node(args.word("a node"));
  args.end();
  const node = stage.cluster.node(id);
  if (node === undefined) throw new ScenarioError(`${id} is down`);
  await stage.world.runUntilSettled(node.stop());
  stage.cluster.crash(id, "kill");
  return silent;
}

/** `start n1`. */
export async function start(stage: Stage, args: Arguments): Promise<Lines> {
  const id = stage.node(args.word("a node"));
  args.end();
  if (stage.cluster.isUp(id)) throw new ScenarioError(`${id} is up`);
  return startNode(stage, id);
}

/** Starts a node; says why if it does not serve. */
export async function startNode({ cluster, world }: Stage, id: NodeId): Promise<Lines> {
  const started = await world.runUntilSettled(cluster.startNode(id));
  if (started.ok) return silent;
  cluster.crash(id, "kill");
  // Nobody starts it a second time.
  if (started.message.includes("is no member of its cluster any more")) cluster.retire(id);
  return [`${started.code}: ${started.message}`];
}

/** `status`: which nodes are up. */
export function status(stage: Stage, args: Arguments): Lines {
  args.end();
  return stage.cluster.ids.map((id) => `${id}: ${stage.cluster.isUp(id) ? "up" : "down"}`);
}

/** `advance 500ms`. */
export async function advance(stage: Stage, args: Arguments): Promise<Lines> {
  const ms = durationOf(args.word("a duration"));
  args.end();
  await stage.advance(ms);
  return silent;
}

/** `jump n1 -10s`: moves the node's wall clock. */
export function jump(stage: Stage, args: Arguments): Lines {
  const id = stage.node(args.word("a node"));
  const ms = durationOf(args.word("a duration"));
  args.end();
  stage.cluster.clock(id)?.jumpWall(ms);
  return silent;
}
