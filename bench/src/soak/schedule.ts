/** What happens to the cluster, and when. */
export type Event =
  | { readonly atSeconds: number; readonly kind: "kill"; readonly node: string }
  | { readonly atSeconds: number; readonly kind: "repair" };

export interface Schedule {
  readonly seconds: number;
  /** A thirtieth: a minute of half an hour. */
  readonly partSeconds: number;
  readonly awaySeconds: number;
  readonly events: readonly Event[];
}

const parts = 30;
/** A kill every so many parts, but for the first and the last. */
const killEvery = 3;
/** The first node is never killed: its memory is what shows a leak. */
const victims = ["n2", "n3"] as const;
const awayPartShare = 1 / 6;
/** Long enough to be missed, and to be given what was missed. */
const awaySecondsMin = 3;

/** The schedule of half an hour, drawn out or in. */
export function scheduleOf(minutes: number): Schedule {
  const seconds = minutes * 60;
  const partSeconds = seconds / parts;
  const events: Event[] = [{ atSeconds: seconds / 2 + partSeconds, kind: "repair" }];
  for (let part = killEvery; part < parts; part += killEvery) {
    const node = victims[(part / killEvery - 1) % victims.length] as string;
    events.push({ atSeconds: part * partSeconds, kind: "kill", node });
  }
  return {
    seconds,
    partSeconds,
    awaySeconds: Math.max(awaySecondsMin, partSeconds * awayPartShare),
    events: events.toSorted((left, right) => left.atSeconds - right.atSeconds),
  };
}
