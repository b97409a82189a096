import type { RepairView } from "@coterie/cluster";
import { type Arguments, ScenarioError } from "../arguments.ts";
import type { Lines, Stage } from "../stage.ts";

/** How often it looks whether a repair is over, in virtual milliseconds. */
const lookMs = 20;

/** `repair n1 [partition=N]`: the node makes its copies and those of all other owners equal. */
export async function repair(stage: Stage, args: Arguments): Promise<Lines> {
  const id = stage.node(args.word("a node"));
  const partition = args.number("partition");
  args.end();
  const { cluster, world } = stage;
  const view = (): RepairView | undefined => cluster.node(id)?.antiEntropy()?.repair;
  const started = await cluster.ask(id, (node) =>
    Promise.resolve(node.repair(partition === undefined ? "all" : [partition])),
  );
  if (started === undefined) throw new ScenarioError(`${id} is down`);
  if (!started.ok) return [`${started.code}: ${started.message}`];
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (view()?.state === "running") world.schedule(lookMs, look);
      else resolve();
    };
    look();
  });
  const over = view();
  if (over === undefined) return [`${id} is down`];
  const { state, partitions, partitionsDone, keysExchanged, failures } = over;
  return [
    `${state}: ${partitionsDone} of ${partitions} partitions, ${keysExchanged} keys exchanged`,
    ...failures.map(
      (failure) => `${failure.partitions} partitions not with ${failure.peer}: ${failure.problem}`,
    ),
  ];
}
