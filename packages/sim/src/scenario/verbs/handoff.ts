import { type Key, utf8 } from "@coterie/core";
import { whatIsOwed } from "../../what-is-owed.ts";
import { type Arguments, ScenarioError } from "../arguments.ts";
import type { Lines, Stage } from "../stage.ts";

/** Puts of one `fill` that are under way at once. */
const atOnce = 50;

/** `fill n1 COUNT PREFIX`: puts so many keys, PREFIX0 and so on, through one node. */
export async function fill(stage: Stage, args: Arguments): Promise<Lines> {
  const id = stage.node(args.word("a node"));
  const count = Number(args.word("how many keys"));
  const prefix = args.word("a prefix");
  args.end();
  let done = 0;
  for (let first = 0; first < count; first += atOnce) {
    const puts = Array.from({ length: Math.min(atOnce, count - first) }, (_, index) => {
      const name = `${prefix}${first + index}`;
      stage.keys.add(`default/${name}`);
      const input = { value: utf8(name), contentType: "", context: undefined, writeId: undefined };
      return stage.cluster.ask(id, (node) =>
        node.put(keyOf(name), { ...input, returnBody: false, ifAbsent: false }, {}),
      );
    });
    for (const put of puts) if ((await put)?.ok === true) done += 1;
  }
  return [`${done} of ${count} ok`];
}

/** `compare`: whether all nodes' own copies of every key that was used are equal; nobody reads. */
export async function compare(stage: Stage, args: Arguments): Promise<Lines> {
  args.end();
  const { cluster, keys, replicas } = stage;
  if (cluster.ids.length > replicas) throw new ScenarioError("compare wants all nodes as owners");
  let differing = 0;
  for (const place of keys) {
    const key = keyOf(place.slice(place.indexOf("/") + 1));
    const copies = new Set<string>();
    for (const id of cluster.ids) {
      const own = await cluster.ask(id, (node) => node.readReplica(key));
      copies.add(own?.state === "present" ? own.digest : (own?.state ?? "down"));
    }
    if (copies.size > 1) differing += 1;
  }
  return [
    differing === 0 ? `all copies of ${keys.size} keys are equal` : `copies of ${differing} differ`,
  ];
}

/** `owed`: who owes what to whom. */
export function owed(stage: Stage, args: Arguments): Lines {
  args.end();
  const lines = whatIsOwed(stage.cluster);
  return lines.length === 0 ? ["nothing"] : lines;
}

function keyOf(name: string): Key {
  return { bucket: "default", key: utf8(name) };
}
