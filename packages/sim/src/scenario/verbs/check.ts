import type { GetOutcome } from "@coterie/cluster";
import { type Key, utf8 } from "@coterie/core";
import type { FinalState } from "../../history.ts";
import { checkers } from "../../simulation.ts";
import { type Arguments, ScenarioError } from "../arguments.ts";
import type { Lines, Stage } from "../stage.ts";
import { numbersOf } from "./client.ts";
import { startNode } from "./process.ts";

/** Within which what was under way has arrived or been given up, and damage is refilled. */
const quietMs = 5000;

/**
 * `check`: heals and starts everything, reads every key from all its replicas, and lets the
 * checkers of the simulation judge what this script's clients did and saw.
 */
export async function check(stage: Stage, args: Arguments): Promise<Lines> {
  args.end();
  if (stage.pending.size > 0) throw new ScenarioError("a check comes when nothing is pending");
  const { cluster, history } = stage;
  cluster.network.heal();
  const lines: string[] = [];
  for (const id of cluster.ids) {
    if (!cluster.isUp(id)) lines.push(...(await startNode(stage, id)));
  }
  await stage.advance(quietMs);
  const final: FinalState[] = [];
  for (const place of stage.keys) {
    const at = place.indexOf("/");
    const name = place.slice(at + 1);
    const key = { bucket: place.slice(0, at), key: utf8(name) };
    const outcome = await readAll(stage, key);
    if (outcome?.ok !== true) {
      lines.push(`${name} cannot be read: ${outcome?.code ?? "no answer"}`);
      continue;
    }
    const values = numbersOf(stage, outcome.siblings);
    final.push({ key: name, values, copies: await copiesOf(stage, key) });
  }
  history.cutSinceMs = cluster.cutSinceMs;
  for (const checker of checkers) {
    for (const violation of checker(history, final)) {
      lines.push(`${violation.checker}: ${violation.key}: ${violation.detail}`);
    }
  }
  return lines.length === 0 ? ["every promise kept"] : lines;
}

function readAll(stage: Stage, key: Key): Promise<GetOutcome | undefined> {
  const { cluster, world, replicas } = stage;
  const [first] = cluster.ids;
  if (first === undefined) throw new ScenarioError("a cluster has nodes");
  return world.runUntilSettled(
    cluster.ask(first, (node) => node.get(key, { r: replicas, strict: true, timeoutMs: 10_000 })),
  );
}

async function copiesOf(stage: Stage, key: Key): Promise<ReadonlyMap<string, string>> {
  const { cluster, world } = stage;
  // A read from all replicas answers once one of them holds the merged record.
  await stage.advance(2000);
  const copies = new Map<string, string>();
  for (const id of cluster.ids) {
    const own = await world.runUntilSettled(cluster.ask(id, (node) => node.readReplica(key)));
    // Nodes that are no replicas of the key hold no copy, and differ from nobody.
    if (own?.state === "absent" && cluster.ids.length > stage.replicas) continue;
    copies.set(id, own?.state === "present" ? own.digest : (own?.state ?? "down"));
  }
  return copies;
}
