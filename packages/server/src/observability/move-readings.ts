import type { MovesView, NodeApi } from "@coterie/cluster";
import { type MetricReading, counter, gauge } from "./metric.ts";

/** How far this node is with partitions that change their owners. */
export function moveReadings(node: NodeApi): readonly MetricReading[] {
  const of = (read: (view: MovesView) => number) => () => {
    const view = node.moves();
    return view === undefined ? undefined : read(view);
  };
  return [
    gauge(
      "moves_awaited_partitions",
      "Partitions that this node is getting, and has not got all of yet.",
      of(({ awaited }) => awaited),
    ),
    gauge(
      "moves_leftover_partitions",
      "Partitions that have gone to others, and of which this node has a copy left.",
      of(({ leftover }) => leftover),
    ),
    gauge(
      "moves_blocked_partitions",
      "Exchanges of such partitions that wait for members that did not answer.",
      of(({ problems }) => problems.reduce((sum, { partitions }) => sum + partitions, 0)),
    ),
    gauge("moves_paused", "1 while an operator has all that moves stand still.", () => {
      const document = node.document();
      return document === undefined ? undefined : Number(document.paused === true);
    }),
    counter(
      "moves_arrived_partitions_total",
      "Partitions of which this node has got all.",
      of(({ counts }) => counts.arrived),
    ),
    counter(
      "moves_dropped_partitions_total",
      "Partitions of which this node has dropped its copy.",
      of(({ counts }) => counts.dropped),
    ),
    counter(
      "moves_keys_total",
      "Keys made alike by exchanges of partitions that move.",
      of(({ counts }) => counts.keys),
    ),
    counter(
      "moves_bytes_total",
      "Bytes that exchanges of partitions that move sent and received.",
      of(({ counts }) => counts.bytes),
    ),
    counter(
      "moves_failed_exchanges_total",
      "Exchanges of partitions that move, not completed: they are repeated.",
      of(({ counts }) => counts.failed),
    ),
  ];
}
