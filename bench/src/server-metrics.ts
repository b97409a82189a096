/** Sums of counters over all nodes, by metric name. */
export type MetricSums = ReadonlyMap<string, number>;

/** Reads /metrics of every door and adds up each metric over nodes and labels. */
export async function readMetrics(doors: readonly string[]): Promise<MetricSums> {
  const sums = new Map<string, number>();
  for (const door of doors) {
    const response = await fetch(`http://${door}/metrics`);
    for (const line of (await response.text()).split("\n")) {
      const match = /^([a-z_:][a-z0-9_:]*)(?:\{[^}]*\})? (\S+)/u.exec(line);
      if (match === null) continue;
      const name = match[1] as string;
      sums.set(name, (sums.get(name) ?? 0) + Number(match[2]));
    }
  }
  return sums;
}

/** How much a counter grew between two readings. */
export function growth(before: MetricSums, after: MetricSums, name: string): number {
  return (after.get(name) ?? 0) - (before.get(name) ?? 0);
}
