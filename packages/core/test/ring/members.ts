import type { NodeId, PeerAddress } from "../../src/ids.ts";
import { defaultBuckets } from "../../src/ring/bucket.ts";
import type { ClusterDocument, ClusterSettings, Member } from "../../src/ring/cluster-document.ts";
import { formDocument } from "../../src/ring/form-document.ts";

/** Member `n07` and so on: numbered so that the order of ids is the order of numbers. */
export function memberOf(number: number, labels: Partial<Member> = {}): Member {
  const name = `n${String(number).padStart(2, "0")}`;
  return {
    id: name as NodeId,
    address: `${name}.example:7101` as PeerAddress,
    http: `${name}.example:8101`,
    grpc: `${name}.example:9101`,
    resp: `${name}.example:6101`,
    host: `host-${name}`,
    zone: "zone-a",
    weight: 1,
    nonce: number.toString(16).padStart(32, "0"),
    ...labels,
  };
}

export function membersOf(count: number): readonly Member[] {
  return Array.from({ length: count }, (_, at) => memberOf(at + 1));
}

export function settingsOf(partitions: number, nMax = 3): ClusterSettings {
  return { partitions, hash: "md5", nMax, buckets: defaultBuckets(nMax) };
}

/** Settings whose buckets any number of nodes can serve. */
export function modestSettings(partitions: number, nMax: number): ClusterSettings {
  return { partitions, hash: "md5", nMax, buckets: defaultBuckets(1) };
}

export function documentOf(settings: ClusterSettings, members: readonly Member[]): ClusterDocument {
  const formed = formDocument(settings, members);
  if (!formed.ok) throw new Error(formed.message);
  return formed.document;
}

/** How many partitions each of `count` members has, by the owners that `choose` picks. */
export function countOf(
  count: number,
  owners: readonly (readonly number[])[],
  choose: (list: readonly number[]) => readonly number[] = (list) => list,
): readonly number[] {
  const counts = Array.from({ length: count }, () => 0);
  for (const owner of owners.flatMap(choose)) counts[owner] = (counts[owner] ?? 0) + 1;
  return counts;
}

export function firstOf(list: readonly number[]): readonly number[] {
  return list.slice(0, 1);
}
