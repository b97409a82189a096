import type { HotTable, NodeApi } from "@coterie/cluster";
import { type MetricReading, counter, gauge, labelled } from "./metric.ts";

/** How uneven it is what clients ask this node for; the keys themselves are no labels. */
export function hotReadings(node: NodeApi): readonly MetricReading[] {
  return [
    counter(
      "gets_joined_total",
      "Gets answered by a read that was begun for another get of the same key.",
      () => node.statistics().getsJoined,
    ),
    counter(
      "writes_joined_total",
      "Records that were not sent to another node, as a later one of their key says all of it.",
      () => node.statistics().writesJoined,
    ),
    counter(
      "records_spared_total",
      "Records that a replica did not send to a read, as the same one was at hand.",
      () => node.statistics().recordsSpared,
    ),
    counter(
      "versions_differed_total",
      "Reads that asked all replicas again, as one held another record than the one that was sent.",
      () => node.statistics().versionsDiffered,
    ),
    counter(
      "hot_copies_kept_total",
      "Records of hot keys that were kept at this node, which holds no copy of them.",
      () => node.statistics().copiesKept,
    ),
    counter(
      "gets_stale_total",
      "Gets answered with what an earlier read had found, as they allowed.",
      () => node.statistics().getsStale,
    ),
    gauge("hot_copies_bytes", "Memory of the records of hot keys that are kept.", () => {
      const hotKeys = node.hotKeys();
      return hotKeys === undefined ? 0 : hotKeys.copies.bytes + hotKeys.recent.bytes;
    }),
    labelled(
      {
        name: "coterie_hot_key_share",
        help: "Of what clients ask this node for, the share of the key asked for most.",
        type: "gauge",
      },
      () => {
        const tables = node.hotKeys()?.tables();
        if (tables === undefined) return [];
        return [
          { labels: { operation: "read" }, value: shareOf(tables.reads) },
          { labels: { operation: "write" }, value: shareOf(tables.writes) },
        ];
      },
    ),
  ];
}

/** What was surely counted of the key asked for most, as a share of all. */
function shareOf({ perSecond, keys }: HotTable): number {
  const sure = keys.map((each) => each.perSecond - each.errorPerSecond);
  return perSecond === 0 ? 0 : Math.max(0, ...sure) / perSecond;
}
