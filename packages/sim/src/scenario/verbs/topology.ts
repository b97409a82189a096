import type { AskedChange, Topology, TopologyFailure } from "@coterie/cluster";
import type { NodeId } from "@coterie/core";
import { latest } from "../../operator.ts";
import { whatIsMoving } from "../../what-is-moving.ts";
import { type Arguments, ScenarioError } from "../arguments.ts";
import type { Lines, Stage } from "../stage.ts";

/** Within which a newcomer has been heard of. */
const offerMs = 1500;
/** Within which all that moves has moved, if nothing stands in the way. */
const settleMs = 60_000;

/** `join n4 [through=n1]`: a node starts on an empty disk, and is made a member. */
export async function join(stage: Stage, args: Arguments): Promise<Lines> {
  const id = newcomer(stage, args.word("a new node"));
  await stage.advance(offerMs);
  return change(stage, args, { join: [id] });
}

/** `leave n2 [through=n1]`: a member hands over what it has, and goes. */
export function leave(stage: Stage, args: Arguments): Promise<Lines> {
  return change(stage, args, { leave: [stage.node(args.word("a node"))] });
}

/** `remove n2 [through=n1]`: a member is gone for good; others have what it had. */
export function remove(stage: Stage, args: Arguments): Promise<Lines> {
  return change(stage, args, { remove: [stage.node(args.word("a node"))] });
}

/**
 * `replace n2 n4 [dead=yes] [through=n1]`: a node starts on an empty disk, and gets a member's
 * places; what was in them, from others if that is dead.
 */
export async function replace(stage: Stage, args: Arguments): Promise<Lines> {
  const id = stage.node(args.word("a node"));
  const by = newcomer(stage, args.word("a new node"));
  const dead = args.option("dead") === "yes";
  await stage.advance(offerMs);
  return change(stage, args, { replace: [{ id, by, dead }] });
}

/** `pause [through=n1]`: what moves stands still. */
export function pauseMoves(stage: Stage, args: Arguments): Promise<Lines> {
  return agreed(stage, args, (topology) => topology.pause(true));
}

/** `resume [through=n1]`: what moves goes on. */
export function resumeMoves(stage: Stage, args: Arguments): Promise<Lines> {
  return agreed(stage, args, (topology) => topology.pause(false));
}

/** `force-voters n4,n5 [through=n4]`: the other voters are given up. */
export function forceVoters(stage: Stage, args: Arguments): Promise<Lines> {
  const left = args.word("the voters that are left").split(",");
  return agreed(stage, args, (topology) => {
    const votes = topology.view().members.filter(({ vote }) => vote === "yes");
    const lost = votes.map(({ id }) => id).filter((id) => !left.includes(id));
    const voters = left.map((id) => stage.node(id));
    return topology.forceVoters({ voters, confirm: lost.join(" "), by: "the script" });
  });
}

/** `moving`: what is on the move, and who is waited for. */
export function moving(stage: Stage, args: Arguments): Lines {
  args.end();
  const left = whatIsMoving(stage.cluster);
  return left.length === 0 ? ["nothing"] : left;
}

/** `settle`: lets time pass until nothing moves any more; says what does if that takes too long. */
export async function settle(stage: Stage, args: Arguments): Promise<Lines> {
  args.end();
  const { cluster, world } = stage;
  const end = world.nowMs + settleMs;
  while (world.nowMs < end && whatIsMoving(cluster).length > 0) await stage.advance(100);
  // Who has left ends a moment later.
  await stage.advance(offerMs);
  return whatIsMoving(cluster);
}

/** A newcomer that was not accepted still waits, and may be asked for again. */
function newcomer({ cluster }: Stage, name: string): NodeId {
  const id = name as NodeId;
  const document = latest(cluster);
  if (document?.members.some((member) => member.id === id) === true) {
    throw new ScenarioError(`${id} is there already`);
  }
  if (cluster.ids.includes(id)) return id;
  cluster.addPlace(id);
  void cluster.startNode(id);
  return id;
}

function change(stage: Stage, args: Arguments, asked: AskedChange): Promise<Lines> {
  return agreed(stage, args, async (topology) => {
    const planned = topology.plan(asked);
    return planned.ok ? topology.commit({ hash: planned.plan.hash }) : planned;
  });
}

async function agreed(
  stage: Stage,
  args: Arguments,
  act: (topology: Topology) => Promise<{ readonly ok: true } | TopologyFailure>,
): Promise<Lines> {
  const { cluster, world } = stage;
  const through = args.option("through");
  args.end();
  const node = cluster.node(
    through === undefined ? (cluster.ids[0] as NodeId) : stage.node(through),
  );
  const topology = node?.topology();
  if (topology === undefined) throw new ScenarioError("who is asked does not serve");
  const outcome = await world.runUntilSettled(act(topology));
  return outcome.ok ? [] : [outcome.message];
}
