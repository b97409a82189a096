import { type MembershipView, type NodeApi, convergenceBounds } from "@coterie/cluster";
import type { MembershipCounts } from "@coterie/core";
import { histogramSamples } from "./counted-histogram.ts";
import { type MetricReading, counter, gauge, labelled } from "./metric.ts";

const convergence = "coterie_membership_convergence_seconds";

/** How this node watches the others, and what it knows of them. */
export function membershipReadings(node: NodeApi): readonly MetricReading[] {
  const view = (): MembershipView | undefined => node.membership();
  const count = (name: keyof MembershipCounts) => (): number | undefined => view()?.counts[name];
  return [
    labelled(
      {
        name: "coterie_membership_members",
        help: "The other members, by state as this node knows it.",
        type: "gauge",
      },
      () => membersByState(view()),
    ),
    gauge(
      "membership_local_health",
      "How much this node doubts itself, from 0 to 8.",
      () => view()?.localHealth,
    ),
    counter("membership_probes_total", "Probes of other members.", count("probes")),
    counter(
      "membership_indirect_probes_total",
      "Probes that went by way of others as well.",
      count("indirectProbes"),
    ),
    counter("membership_failed_probes_total", "Probes without an answer.", count("failedProbes")),
    counter(
      "membership_suspicions_total",
      "Times that a member was suspected, here or elsewhere.",
      count("suspicions"),
    ),
    counter("membership_deaths_total", "Times that a member was taken for dead.", count("deaths")),
    counter(
      "membership_refutations_total",
      "Times that this node refuted what was said of it.",
      count("refutations"),
    ),
    counter(
      "membership_stalls_total",
      "Times that this node found that it had stood still.",
      count("stalls"),
    ),
    counter("membership_messages_sent_total", "Messages to other members.", count("sent")),
    counter(
      "membership_messages_received_total",
      "Messages from other members.",
      count("received"),
    ),
    {
      name: convergence,
      help: "From the first confirmation of a death anywhere until this node knew of it.",
      type: "histogram",
      read: () => {
        const counts = view()?.convergence;
        if (counts === undefined) return [];
        return histogramSamples(convergence, {}, { bounds: convergenceBounds, ...counts });
      },
    },
  ];
}

const states = ["alive", "unknown", "suspect", "dead", "left"] as const;

function membersByState(view: MembershipView | undefined): readonly {
  readonly labels: { readonly state: string };
  readonly value: number;
}[] {
  if (view === undefined) return [];
  const others = view.members.filter(({ isSelf }) => !isSelf);
  return states.map((state) => {
    const value = others.filter((member) => member.state === state).length;
    return { labels: { state }, value };
  });
}
