import type { AntiEntropyView, NodeApi } from "@coterie/cluster";
import { type MetricReading, counter, gauge } from "./metric.ts";

/** How alike this node's copies are to those of other owners, and what it took to make them so. */
export function antiEntropyReadings(node: NodeApi): readonly MetricReading[] {
  const view = (): AntiEntropyView | undefined => node.antiEntropy();
  return [
    gauge(
      "anti_entropy_lag_seconds",
      "Age of the oldest partition's last complete exchange with another owner.",
      () => {
        const now = view();
        // Where nobody compares it says nothing.
        return now === undefined || now.intervalMs === 0 ? undefined : now.lagMs / 1000;
      },
    ),
    counter(
      "anti_entropy_exchanges_total",
      "Exchanges with another owner, begun here and completed.",
      () => view()?.counts.completed,
    ),
    counter(
      "anti_entropy_failed_exchanges_total",
      "Exchanges with another owner, begun here and not completed.",
      () => view()?.counts.failed,
    ),
    counter(
      "anti_entropy_exchanged_keys_total",
      "Keys that differed from another owner's, and were made alike.",
      () => view()?.counts.keysExchanged,
    ),
    counter(
      "anti_entropy_bytes_total",
      "Bytes that exchanges sent and received.",
      () => view()?.counts.bytes,
    ),
  ];
}
