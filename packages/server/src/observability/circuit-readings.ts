import type { CircuitCounts, NodeApi } from "@coterie/cluster";
import { type MetricReading, counter, labelled } from "./metric.ts";

/** Peers that this node takes for silent, and what that spares it. */
export function circuitReadings(node: NodeApi): readonly MetricReading[] {
  const count = (name: keyof CircuitCounts) => (): number | undefined =>
    node.statistics().circuits?.[name];
  return [
    labelled(
      {
        name: "coterie_circuit_open",
        help: "1 while the peer is taken for silent, and asked nothing.",
        type: "gauge",
      },
      () =>
        node.peers().map(({ id, circuit }) => {
          const isOpen = circuit === "open" || circuit === "half-open";
          return { labels: { peer: id }, value: Number(isOpen) };
        }),
    ),
    counter("circuit_opened_total", "Times that a peer was taken for silent.", count("opened")),
    counter(
      "circuit_refusals_total",
      "Requests to peers that were not sent because of that.",
      count("refused"),
    ),
    counter("circuit_pings_total", "Pings of peers that were silent.", count("pings")),
  ];
}
