import type { PlanView, TopologyView } from "../http/topology.ts";
import { byteText, durationText, table } from "../table.ts";

/** What every member has before and after a plan. */
export function planTable({ members }: PlanView): string {
  return table(
    ["NODE", "COPIES", "AFTER", "GETS", "BYTES"],
    members
      .toSorted((left, right) => left.id.localeCompare(right.id, "en", { numeric: true }))
      .map(({ id, before, after, gets, bytes }) => {
        return [id, before, after, gets, bytes === null ? "-" : byteText(bytes)];
      }),
  );
}

/** What else there is to know of a plan, a line each. */
export function planLines(plan: PlanView, topology: TopologyView): readonly string[] {
  const { partitions, copies, bytes, durationMsMin, risks, short, removed, waitsFor } = plan;
  const size = bytes === null ? "" : `, about ${byteText(bytes)}`;
  const isLong = durationMsMin !== null && durationMsMin >= 1000;
  const time = isLong ? `, in ${durationText(durationMsMin)} at least` : "";
  const lines = [
    `${counted(partitions, "partition")} move: ${counted(copies, "copy")}${size}${time}`,
  ];
  for (const id of removed) lines.push(`${id} goes for good, and hands nothing over`);
  for (const { living, wanted, partitions: count } of risks) {
    lines.push(`until then ${living} of ${wanted} copies live of ${counted(count, "partition")}`);
  }
  if (short > 0) {
    lines.push(`afterwards ${counted(short, "partition")} lack copies, for lack of nodes`);
  }
  for (const [label, count] of [
    ["host", plan.sharingHosts],
    ["zone", plan.sharingZones],
  ] as const) {
    // Where there is but one, nobody expects anything else.
    const labels = new Set([...topology.members, ...topology.offers].map((each) => each[label]));
    if (count === 0 || labels.size < 2) continue;
    lines.push(`afterwards ${counted(count, "partition")} have two copies in one ${label}`);
  }
  for (const { id, state, partitions: count } of waitsFor) {
    lines.push(`${id} is ${state}: ${counted(count, "move")} cannot end until it is back`);
  }
  return lines;
}

/** What moves, in one line; `undefined` if nothing does. */
export function movesText({ moves, leftovers, members, paused }: TopologyView): string | undefined {
  if (moves === 0 && leftovers === 0) return paused ? "what is to move is paused" : undefined;
  const awaiting = members
    .filter(({ awaits }) => awaits > 0)
    .map(({ id, awaits }) => `${id} awaits ${awaits}`);
  const parts = moves === 0 ? [] : [`${counted(moves, "partition")} move`, ...awaiting];
  if (leftovers > 0) parts.push(`${counted(leftovers, "former copy")} to be dropped`);
  return `${paused ? "paused: " : ""}${parts.join(", ")}`;
}

/** Where voters were given up, a line each time. */
export function forcingLines({ forcings }: TopologyView): readonly string[] {
  return forcings.map(({ epoch, voters, lost, by, atMs }) => {
    const at = new Date(atMs).toISOString();
    return (
      `${lost.join(", ")} lost their votes at ${at}: ${by} had ${voters.join(", ")} go on ` +
      `without them, from epoch ${epoch}`
    );
  });
}

function counted(count: number, what: string): string {
  const [plural] = what.endsWith("y") ? [`${what.slice(0, -1)}ies`] : [`${what}s`];
  return `${count} ${count === 1 ? what : plural}`;
}
