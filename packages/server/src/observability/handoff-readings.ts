import { type DebtView, type HandoffView, type NodeApi, debtKinds } from "@coterie/cluster";
import { type MetricReading, type Sample, counter, labelled } from "./metric.ts";

/** What this node owes to others, and what it has paid. */
export function handoffReadings(node: NodeApi): readonly MetricReading[] {
  const view = (): HandoffView | undefined => node.handoff();
  return [
    ofDebts(
      { name: "handoff_owed_records", help: "Records owed to another node, by node and kind." },
      () => (view()?.debts ?? []).map((debt) => sampleOf(debt, debt.records)),
    ),
    ofDebts(
      {
        name: "handoff_dirty_partitions",
        help: "Partitions to be compared with another node, by node and kind.",
      },
      () => (view()?.debts ?? []).map((debt) => sampleOf(debt, debt.dirtyPartitions)),
    ),
    ofDebts(
      {
        name: "handoff_oldest_seconds",
        help: "How long something has been owed to one node without a break, at most.",
      },
      () => {
        const ages = (view()?.debts ?? []).map(({ ageMs }) => ageMs / 1000);
        return [{ labels: {}, value: Math.max(0, ...ages) }];
      },
    ),
    byKind("handoff_paid_records_total", "Owed records that were acknowledged.", () => {
      return view()?.counts.paid;
    }),
    byKind("handoff_failed_records_total", "Owed records that were sent in vain.", () => {
      return view()?.counts.failed;
    }),
    counter(
      "handoff_paid_bytes_total",
      "Bytes of owed records that were acknowledged.",
      () => view()?.counts.bytes,
    ),
    counter(
      "handoff_noted_total",
      "Keys noted because another node did not acknowledge them.",
      () => view()?.counts.noted,
    ),
    counter(
      "handoff_over_budget_total",
      "Times that keys were given up because handoffKeys was spent.",
      () => view()?.counts.overBudget,
    ),
  ];
}

function ofDebts(
  { name, help }: { readonly name: string; readonly help: string },
  read: () => readonly Sample[],
): MetricReading {
  return labelled({ name: `coterie_${name}`, help, type: "gauge" }, read);
}

function byKind(
  name: string,
  help: string,
  counts: () => Readonly<Record<(typeof debtKinds)[number], number>> | undefined,
): MetricReading {
  return labelled({ name: `coterie_${name}`, help, type: "counter" }, () => {
    const known = counts();
    if (known === undefined) return [];
    return debtKinds.map((kind) => ({ labels: { kind }, value: known[kind] }));
  });
}

function sampleOf({ target, kind }: DebtView, value: number): Sample {
  return { labels: { target, kind }, value };
}
