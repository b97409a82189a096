/** Of all nodes, by metric name without labels. */
export interface Metrics {
  readonly sums: ReadonlyMap<string, number>;
  readonly largest: ReadonlyMap<string, number>;
}

/** Reads /metrics of every door; each metric is added up, and compared, over nodes and labels. */
export async function readMetrics(doors: readonly string[]): Promise<Metrics> {
  const sums = new Map<string, number>();
  const largest = new Map<string, number>();
  for (const door of doors) {
    const response = await fetch(`http://${door}/metrics`);
    for (const line of (await response.text()).split("\n")) {
      const match = /^([a-z_:][a-z0-9_:]*)(?:\{[^}]*\})? (\S+)/u.exec(line);
      if (match === null) continue;
      const name = match[1] as string;
      const value = Number(match[2]);
      sums.set(name, (sums.get(name) ?? 0) + value);
      largest.set(name, Math.max(largest.get(name) ?? Number.NEGATIVE_INFINITY, value));
    }
  }
  return { sums, largest };
}

/** How much a counter grew between two readings; undefined if no node has it. */
export function growth(before: Metrics, after: Metrics, name: string): number | undefined {
  const last = after.sums.get(name);
  return last === undefined ? undefined : last - (before.sums.get(name) ?? 0);
}
