import type { NodeId } from "../../src/ids.ts";
import type { ClusterDocument, Member } from "../../src/ring/cluster-document.ts";
import { arrive, dropLeftovers } from "../../src/ring/settle-moves.ts";
import { type TopologyChange, planTopology } from "../../src/ring/topology.ts";

/** The ids of some of its members. */
export function namesOf(document: ClusterDocument, list: readonly number[]): readonly NodeId[] {
  return list.map((index) => (document.members[index] as Member).id);
}

/** Who will own each partition when nothing moves any more. */
export function goals(document: ClusterDocument): readonly (readonly NodeId[])[] {
  const targets = document.owners.map((list) => namesOf(document, list));
  for (const { partition, to } of document.moves ?? []) {
    targets[partition] = namesOf(document, to);
  }
  return targets;
}

/** What it comes to when everybody has got and dropped what it had to. */
export function settled(start: ClusterDocument): ClusterDocument {
  let document = start;
  const partitions = [...document.owners.keys()];
  for (const { id } of start.members) {
    document = arrive(document, { id, partitions, entered: document.entered });
  }
  for (const { id } of document.members) document = dropLeftovers(document, id, partitions);
  return document;
}

/** The next version of a document, whose change there is no reason to refuse. */
export function changed(document: ClusterDocument, change: TopologyChange): ClusterDocument {
  const planned = planTopology(document, change);
  if (!planned.ok) throw new Error(`${planned.code}: ${planned.message}`);
  return planned.document;
}
