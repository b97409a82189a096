import type { NodeApi, ReapingView } from "@coterie/cluster";
import { type MetricReading, counter, gauge, labelled } from "./metric.ts";

/** What becomes of tombstones. */
export function reapingReadings(node: NodeApi): readonly MetricReading[] {
  const view = (): ReapingView | undefined => node.reaping();
  return [
    gauge("reaping_tombstones", "Tombstones in this node's store.", () => view()?.tombstones),
    counter(
      "reaping_forgotten_total",
      "Tombstones that this node has forgotten because all owners had confirmed them.",
      () => view()?.reaped,
    ),
    gauge(
      "reaping_wide_clocks",
      "Records in this node's store whose clocks name too many actors, and are to be cut.",
      () => view()?.wide,
    ),
    counter(
      "reaping_clocks_cut_total",
      "Clocks that this node has cut because all owners had confirmed the same.",
      () => view()?.cut,
    ),
    labelled(
      {
        name: "coterie_reaping_blocked_partitions",
        help: "Partitions whose tombstones this node may not reap yet, by node and reason.",
        type: "gauge",
      },
      () =>
        (view()?.blockers ?? []).map(({ node: by, reason, partitions }) => {
          return { labels: { node: by, reason }, value: partitions };
        }),
    ),
  ];
}
