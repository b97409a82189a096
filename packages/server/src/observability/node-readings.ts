import { siblingBounds, type NodeApi, type NodeStatistics } from "@coterie/cluster";
import { histogramSamples } from "./counted-histogram.ts";
import { type MetricReading, counter, gauge, labelled } from "./metric.ts";

/** What a node counts of requests, and where it stands in its cluster. */
export function nodeReadings(node: NodeApi): readonly MetricReading[] {
  const statistics = (): NodeStatistics => node.statistics();
  return [
    ...requestReadings(statistics),
    ...slowReadings(statistics),
    ...siblingReadings(statistics),
    ...standing(node),
  ];
}

function requestReadings(statistics: () => NodeStatistics): readonly MetricReading[] {
  const of =
    (
      name:
        | "inFlight"
        | "inFlightBytes"
        | "puts"
        | "gets"
        | "deletes"
        | "putBytes"
        | "forwards"
        | "quorumFailures"
        | "timeouts"
        | "overloads"
        | "pressure"
        | "readRepairs"
        | "expiredSiblings"
        | "peerRequestsServed"
        | "staleEpochs"
        | "directoriesReplaced",
    ) =>
    (): number =>
      statistics()[name];
  return [
    gauge("requests_in_flight", "Client requests that have no answer yet.", of("inFlight")),
    gauge("requests_in_flight_bytes", "Bytes of their values.", of("inFlightBytes")),
    gauge("pressure", "How busy the node is, from 0 to 1.", of("pressure")),
    counter("puts_total", "Puts taken from clients.", of("puts")),
    counter("put_bytes_total", "Bytes of their values.", of("putBytes")),
    counter("gets_total", "Gets taken from clients.", of("gets")),
    counter("deletes_total", "Deletes taken from clients.", of("deletes")),
    counter("forwards_total", "Writes passed on to a primary.", of("forwards")),
    labelled(
      {
        name: "coterie_failures_total",
        help: "Client requests that failed, by code.",
        type: "counter",
      },
      () => [...statistics().failures].map(([code, value]) => ({ labels: { code }, value })),
    ),
    counter(
      "quorum_failures_total",
      "Requests that too few replicas answered.",
      of("quorumFailures"),
    ),
    counter("timeouts_total", "Requests that ran out of time.", of("timeouts")),
    counter("overloads_total", "Requests refused because of a limit.", of("overloads")),
    counter(
      "read_repairs_total",
      "Records written to a replica that a read found behind.",
      of("readRepairs"),
    ),
    counter(
      "expired_siblings_total",
      "Values dropped because their time was up.",
      of("expiredSiblings"),
    ),
    counter("peer_requests_served_total", "Requests of other nodes.", of("peerRequestsServed")),
    counter(
      "stale_epochs_total",
      "Refused requests of nodes that are of another cluster, or go by other owners.",
      of("staleEpochs"),
    ),
    counter(
      "directories_replaced_total",
      "Members that went on with an empty directory in the place of a lost one.",
      of("directoriesReplaced"),
    ),
  ];
}

function slowReadings(statistics: () => NodeStatistics): readonly MetricReading[] {
  return [
    counter(
      "hedged_reads_total",
      "Further replicas that reads asked because those asked first were slow.",
      () => statistics().hedgedReads,
    ),
    counter(
      "hedges_won_total",
      "Those of them whose answer a read used.",
      () => statistics().hedgesWon,
    ),
    counter(
      "hedges_suppressed_total",
      "Times that a slow read waited on: too many had asked further replicas.",
      () => statistics().hedgesSuppressed,
    ),
    counter(
      "read_probes_total",
      "Reads also sent to a node that is avoided as slow, to see how it is.",
      () => statistics().readProbes,
    ),
    counter(
      "reads_past_own_total",
      "Reads that asked one more replica at once, as this node's disk is slow.",
      () => statistics().readsPastOwn,
    ),
  ];
}

function siblingReadings(statistics: () => NodeStatistics): readonly MetricReading[] {
  const name = "coterie_siblings";
  return [
    {
      name,
      help: "Siblings that gets met, by bucket.",
      type: "histogram",
      read: () =>
        [...statistics().siblings].flatMap(([bucket, { counts, sum }]) =>
          histogramSamples(name, { bucket }, { bounds: siblingBounds, counts, sum }),
        ),
    },
    counter(
      "sibling_reads_total",
      "Gets that met more than one sibling.",
      () => statistics().siblingsReturned,
    ),
    counter(
      "sibling_warnings_total",
      "Gets of a key over a warning limit.",
      () => statistics().siblingWarnings,
    ),
    gauge("siblings_max", "The most siblings a get has met.", () => statistics().siblingsMax),
  ];
}

function standing(node: NodeApi): readonly MetricReading[] {
  return [
    gauge("ready", "1 while the node serves.", () => Number(node.missing().length === 0)),
    gauge(
      "refilling",
      "1 while the node may lack what damage or a lost directory took, and asks the others for it.",
      () => Number(node.isRefilling),
    ),
    gauge("members", "Members in the cluster's document.", () => node.document()?.members.length),
    gauge("epoch", "Epoch of the cluster's document.", () => node.document()?.epoch),
    labelled(
      {
        name: "coterie_peer_reachable",
        help: "0 while no stream to the peer can be opened, or it is silent.",
        type: "gauge",
      },
      () =>
        node.peers().map(({ id, isReachable }) => {
          return { labels: { peer: id }, value: Number(isReachable) };
        }),
    ),
  ];
}
