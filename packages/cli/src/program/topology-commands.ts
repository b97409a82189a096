import { type Command, InvalidArgumentError } from "commander";
import type { PlanOptions } from "../commands/plan.ts";
import type { NodeOptions } from "../connect.ts";
import type { TopologyOptions } from "../commands/topology.ts";
import type { ExitCode } from "../exit.ts";
import type { MembersChange } from "../http/topology.ts";
import { wholeNumber, withNodeOptions } from "../options.ts";

type OnExit = (code: ExitCode) => void;

/** What grows, shrinks and repairs a cluster's membership. */
export function addTopologyCommands(program: Command, onExit: OnExit): void {
  withNodeOptions(program.command("topology"))
    .summary("members, nodes that would be members, and what moves")
    .description("Shows who belongs to the cluster, who offers itself to it, and what moves.")
    .option("--wait", "show how far it is, and end when nothing moves any more")
    .addHelpText("after", "\nExamples:\n  coterie topology\n  coterie topology --wait")
    .action(async (options: TopologyOptions) => {
      const { topology } = await import("../commands/topology.ts");
      onExit(await topology(options));
    });
  addPlans(program, onExit);
  withNodeOptions(program.command("commit"))
    .option("--wait", "end when nothing moves any more")
    .summary("do what a plan has shown")
    .description("Does what a plan has shown, unless the cluster has changed since.")
    .argument("<hash>", "as the plan has it, or its first eight digits", planHash)
    .addHelpText("after", "\nExamples:\n  coterie commit 3f9a1c02d7b4 --wait")
    .action(async (hash: string, options: PlanOptions) => {
      const { commit } = await import("../commands/plan.ts");
      onExit(await commit(hash, options));
    });
  addChanges(program, "coterie", onExit, true);
}

function addPauses(parent: Command, onExit: OnExit): void {
  for (const [name, isPaused, summary, more] of [
    ["pause", true, "have all that moves stand still", "Requests go on, and so do both quorums."],
    ["resume", false, "have what moves go on", "It goes on where it stood."],
  ] as const) {
    withNodeOptions(parent.command(name))
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}. ${more}`)
      .addHelpText("after", `\nExamples:\n  coterie plan ${name}`)
      .action(async (options: NodeOptions) => {
        const { setPaused } = await import("../commands/topology.ts");
        onExit(await setPaused(isPaused, options));
      });
  }
}

function addPlans(program: Command, onExit: OnExit): void {
  const plans = program
    .command("plan")
    .summary("show what a change of the members would come to")
    .description(
      "Shows what would move if nodes joined, left or were replaced, and the hash by which " +
        "coterie commit does it. Nothing happens before that, unless --yes is given.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  coterie plan join n4 n5\n  coterie plan replace n3 n6\n" +
        "  coterie plan set n2 --weight 2",
    );
  addChanges(plans, "coterie plan", onExit, false);
  withNodeOptions(plans.command("set"))
    .summary("another weight, zone or host for a node")
    .argument("<node>", "a member")
    .option("--weight <count>", "its share of the partitions; 1 is usual", wholeNumber(1, 1e6))
    .option("--zone <name>", "copies go to different zones where there are enough")
    .option("--host <name>", "copies go to different hosts where there are enough")
    .option("--yes", "commit it at once")
    .option("--wait", "end when nothing moves any more")
    .addHelpText(
      "after",
      "\nExamples:\n  coterie plan set n2 --weight 2\n  coterie plan set n2 --zone b",
    )
    .action(async (id: string, options: PlanOptions & LabelOptions) => {
      const { weight, zone, host } = options;
      const labels = {
        ...(weight !== undefined && { weight }),
        ...(zone !== undefined && { zone }),
        ...(host !== undefined && { host }),
      };
      const { plan } = await import("../commands/plan.ts");
      onExit(await plan(`set ${id}`, { set: [{ id, ...labels }] }, options, false));
    });
  addPauses(plans, onExit);
  withNodeOptions(plans.command("abort"))
    .summary("take back the moves that are not over")
    .description("Takes back the moves that are not over; what has moved stays where it is.")
    .option("--wait", "end when nothing moves any more")
    .addHelpText("after", "\nExamples:\n  coterie plan abort")
    .action(async (options: PlanOptions) => {
      const { abort } = await import("../commands/plan.ts");
      onExit(await abort(options));
    });
}

interface LabelOptions {
  readonly weight?: number;
  readonly zone?: string;
  readonly host?: string;
}

/** The changes that are named by nodes alone, as plans and as commands that also commit. */
function addChanges(parent: Command, words: string, onExit: OnExit, isAsked: boolean): void {
  const act = async (asked: string, change: MembersChange, options: PlanOptions): Promise<void> => {
    const { plan } = await import("../commands/plan.ts");
    onExit(await plan(asked, change, options, isAsked));
  };
  const asks = isAsked ? " Shows the plan, and asks whether to commit it." : "";
  for (const [name, summary, which] of [
    ["join", "make nodes members that offer themselves", "nodes that offer themselves"],
    ["leave", "have members hand over what they hold, and go", "members"],
    ["remove", "take members out that are dead and will not come back", "members"],
  ] as const) {
    withPlanOptions(parent.command(name))
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.${asks}`)
      .argument("<nodes...>", which)
      .addHelpText(
        "after",
        `\nExamples:\n  ${words} ${name} n4 n5\n  ${words} ${name} n4 --yes --wait`,
      )
      .action((ids: readonly string[], options: PlanOptions) =>
        act(`${name} ${ids.join(" ")}`, { [name]: ids }, options),
      );
  }
  withPlanOptions(parent.command("replace"))
    .summary("give a member's places to another node")
    .description(`Gives all that a member holds to a node that offers itself.${asks}`)
    .argument("<node>", "a member, which hands over what it holds")
    .argument("<by>", "a node that offers itself")
    .option("--dead", "it will not come back: others hand over what they hold as well")
    .addHelpText("after", `\nExamples:\n  ${words} replace n3 n6\n  ${words} replace n3 n6 --dead`)
    .action((id: string, by: string, options: PlanOptions & { readonly dead?: boolean }) => {
      const { dead = false } = options;
      const asked = `replace ${id} ${by}${dead ? " --dead" : ""}`;
      return act(asked, { replace: [{ id, by, ...(dead && { dead }) }] }, options);
    });
}

function withPlanOptions(command: Command): Command {
  return withNodeOptions(command)
    .option("--yes", "commit it at once")
    .option("--wait", "end when nothing moves any more");
}

function planHash(text: string): string {
  if (!/^[0-9a-f]{8,32}$/u.test(text)) {
    throw new InvalidArgumentError("It takes eight hex digits of a plan's hash, or more.");
  }
  return text;
}
