import { decodeRecord, utf8 } from "@coterie/core";
import { tell } from "../hints/tell.ts";
import { SmallCluster, node, successful } from "../small-cluster.ts";

const members = [1, 2, 3];
const keys = ["a", "b", "c", "d"];
const waitMsMax = 60_000;
const stepMs = 100;

export interface Wear {
  /** What all own copies of each key hold in the end, and what they should hold. */
  readonly held: readonly (readonly [string, readonly string[] | string])[];
  readonly written: readonly (readonly [string, readonly string[]])[];
  /** The most actors that any clock named after a cycle. */
  readonly actorsMax: number;
}

/**
 * Lets each node in turn write every key, and then loses its process, or its disk too: what it
 * wrote as the actor of that lifetime is overwritten by the next one.
 */
export async function wearOut(cycles: number): Promise<Wear> {
  const small = await SmallCluster.start({
    reaping: { graceMs: 1000 },
    antiEntropy: { intervalMs: 2000, bytesPerSecond: 8 * 1024 * 1024 },
  });
  let actorsMax = 0;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const at = members[cycle % members.length] as number;
    for (const key of keys) await overwrite(small, at, key, `${key}${cycle}`);
    small.crash(at);
    if (cycle % 2 === 0) small.cluster.replaceDisk(node(at), new Map());
    await small.restart(at);
    await until(small, () => !small.at(at).isRefilling);
    await until(small, () => members.every((each) => small.at(each).reaping()?.wide === 0));
    actorsMax = Math.max(actorsMax, await mostActors(small));
  }
  const held: [string, readonly string[] | string][] = [];
  for (const key of keys) {
    for (const number of members) held.push([key, await small.own(number, key)]);
  }
  return {
    held,
    written: keys.flatMap((key) => members.map(() => [key, [`${key}${cycles}`]] as const)),
    actorsMax,
  };
}

async function overwrite(
  small: SmallCluster,
  at: number,
  key: string,
  value: string,
): Promise<void> {
  const { context } = successful(await small.get(at, key, { r: 2 }));
  successful(await small.put(at, key, value, { context, w: 3 }));
}

async function until(small: SmallCluster, isSo: () => boolean): Promise<void> {
  for (let waited = 0; waited < waitMsMax && !isSo(); waited += stepMs) await small.pass(stepMs);
  if (!isSo()) throw new Error(`not within ${waitMsMax} ms`);
}

async function mostActors(small: SmallCluster): Promise<number> {
  let most = 0;
  for (const number of members) {
    for (const key of keys) {
      const answer = await tell(small, number, { kind: "read", bucket: "default", key: utf8(key) });
      const decoded = answer.kind === "present" ? decodeRecord(answer.record) : undefined;
      if (decoded?.ok !== true) throw new Error(`n${number} does not hold ${key}`);
      most = Math.max(most, decoded.record.clock.size);
    }
  }
  return most;
}
