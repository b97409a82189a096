import type { HintStatistics } from "@coterie/cluster";
import { type MetricReading, counter, labelled } from "./metric.ts";

/** What is held for other nodes; nothing until the store is open. */
export function hintReadings(
  statistics: () => HintStatistics | undefined,
): readonly MetricReading[] {
  const held =
    (what: "records" | "bytes") =>
    (): readonly { readonly labels: { readonly target: string }; readonly value: number }[] =>
      (statistics()?.held ?? []).map((each) => {
        return { labels: { target: each.target }, value: each[what] };
      });
  return [
    labelled(
      {
        name: "coterie_hints_held_records",
        help: "Records held for another node, by node.",
        type: "gauge",
      },
      held("records"),
    ),
    labelled(
      {
        name: "coterie_hints_held_bytes",
        help: "What they take of the setting hintBytes, by node.",
        type: "gauge",
      },
      held("bytes"),
    ),
    counter(
      "hints_refused_total",
      "Records not held because hintBytes was spent.",
      () => statistics()?.refused,
    ),
  ];
}
