import type { NodeId, PeerAddress } from "@coterie/core";
import type { Cut } from "../../network.ts";
import { type Arguments, ScenarioError } from "../arguments.ts";
import type { Lines, Stage } from "../stage.ts";

const silent: Lines = [];

/** `cut n1 n2 [silent|refusing]`: both ways. */
export function cut(stage: Stage, args: Arguments): Lines {
  const [one, two] = twoNodes(stage, args);
  const kind = cutOf(args);
  stage.cluster.network.partition([one], [two], kind);
  return silent;
}

/** `cut-way n1 n2 [silent|refusing]`: what n1 sends to n2 only. */
export function cutWay(stage: Stage, args: Arguments): Lines {
  const [from, to] = twoNodes(stage, args);
  stage.cluster.network.cut(from, to, cutOf(args));
  return silent;
}

/** `isolate n1 [silent|refusing]`: from all other nodes, both ways. */
export function isolate(stage: Stage, args: Arguments): Lines {
  const id = stage.node(args.word("a node"));
  const others = stage.cluster.ids.filter((other) => other !== id).map(addressOf);
  stage.cluster.network.partition([addressOf(id)], others, cutOf(args));
  return silent;
}

/** `hold n1 n2`: what n1 sends to n2 stays under way. */
export function hold(stage: Stage, args: Arguments): Lines {
  const [from, to] = twoNodes(stage, args);
  args.end();
  stage.cluster.network.hold(from, to);
  return silent;
}

/** `overtake n1 n2`: what n1 sends to n2 from now on arrives; what was held stays under way. */
export function overtake(stage: Stage, args: Arguments): Lines {
  const [from, to] = twoNodes(stage, args);
  args.end();
  stage.cluster.network.overtake(from, to);
  return silent;
}

/** `release n1 n2`: what was held arrives. */
export function release(stage: Stage, args: Arguments): Lines {
  const [from, to] = twoNodes(stage, args);
  args.end();
  stage.cluster.network.release(from, to);
  return silent;
}

/** `heal`: mends every link, releases what is held, and brings fair weather. */
export function heal(stage: Stage, args: Arguments): Lines {
  args.end();
  stage.cluster.network.heal();
  return silent;
}

/** `weather [loss=N] [duplicate=N] [late=N]`: of a thousand messages each. */
export function weather(stage: Stage, args: Arguments): Lines {
  const { network } = stage.cluster;
  network.weather = {
    ...network.weather,
    lossPerThousand: args.number("loss") ?? 0,
    duplicatePerThousand: args.number("duplicate") ?? 0,
    latePerThousand: args.number("late") ?? 0,
  };
  args.end();
  return silent;
}

function twoNodes(stage: Stage, args: Arguments): readonly [PeerAddress, PeerAddress] {
  const one = stage.node(args.word("a node"));
  return [addressOf(one), addressOf(stage.node(args.word("another node")))];
}

function cutOf(args: Arguments): Cut {
  const kind = args.optionalWord() ?? "silent";
  args.end();
  if (kind === "silent" || kind === "refusing") return kind;
  throw new ScenarioError("a cut is silent or refusing");
}

/** Simulated nodes listen at addresses that are their names. */
function addressOf(id: NodeId): PeerAddress {
  return id as string as PeerAddress;
}
