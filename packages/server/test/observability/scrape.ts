/** Every sample of a scrape, by its name with its labels. */
export type Scrape = ReadonlyMap<string, number>;

/** Reads Prometheus' text form. */
export function parseScrape(text: string): Scrape {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^(coterie_\w+(?:\{.*\})?) (\S+)$/u.exec(line) ?? [];
    if (name !== undefined) samples.set(name, Number(value));
  }
  return samples;
}

/** The metric that a sample belongs to. */
function metricOf(sample: string): string {
  const name = sample.replace(/\{.*$/u, "");
  return sample.includes('le="') || /_(?:sum|count)$/u.test(name)
    ? name.replace(/_(?:bucket|sum|count)$/u, "")
    : name;
}

/** The metrics whose samples changed, or appeared, between two scrapes. */
export function movedBetween(before: Scrape, after: Scrape): ReadonlySet<string> {
  const changed = [...after].filter(([sample, value]) => before.get(sample) !== value);
  return new Set(changed.map(([sample]) => metricOf(sample)));
}

/** Does something over and over until what it is done for has come. */
export async function doingUntil<Value>(
  act: () => Promise<unknown>,
  awaited: Promise<Value>,
): Promise<Value> {
  let isOver = false;
  const acting = (async () => {
    while (!isOver) await act();
  })();
  const value = await awaited;
  isOver = true;
  await acting;
  return value;
}
