import type { AskedChange } from "../../src/topology/resolve-change.ts";
import { type Choices, type SmallCluster, node } from "../small-cluster.ts";

/** Has the members changed, through a node that is up. */
export async function change(small: SmallCluster, at: number, asked: AskedChange): Promise<void> {
  const topology = small.at(at).topology();
  const planned = topology?.plan(asked);
  if (topology === undefined || planned === undefined) throw new Error("it does not serve");
  if (!planned.ok) throw new Error(planned.message);
  const committed = await small.until(topology.commit({ hash: planned.plan.hash }));
  if (!committed.ok) throw new Error(committed.message);
}

/** A newcomer starts on an empty disk, and waits to be made a member. */
export async function offer(small: SmallCluster, number: number): Promise<void> {
  small.cluster.addPlace(node(number));
  void small.cluster.startNode(node(number));
  await small.pass(2000);
}

/** True when nothing moves and no copy is left over, as one node knows. */
function isSettled(small: SmallCluster, at: number): boolean {
  const { moves = [], leftovers = [] } = small.at(at).document() ?? {};
  return moves.length === 0 && leftovers.length === 0;
}

/** Lets time pass until nothing moves; throws if that takes too long. */
export async function settle(small: SmallCluster, at: number, msMax = 60_000): Promise<void> {
  const end = small.world.nowMs + msMax;
  while (!isSettled(small, at)) {
    if (small.world.nowMs >= end) {
      const { moves, leftovers, epoch } = small.at(at).document() ?? {};
      const views = small.cluster.ids.map((id) => [id, small.cluster.node(id)?.moves()]);
      throw new Error(`still moving: ${JSON.stringify({ epoch, moves, leftovers, views })}`);
    }
    await small.pass(100);
  }
}

/** Puts so many keys through a node, each a value of its own. */
export async function fill(
  small: SmallCluster,
  at: number,
  count: number,
  choices: Choices = {},
): Promise<void> {
  for (let key = 0; key < count; key += 1) {
    const put = await small.put(at, `k${key}`, `v${key}`, choices);
    if (!put.ok) throw new Error(put.message);
  }
}
