import type { Battlefield } from "./battlefield.ts";

/** How often it is looked for what is waited for, and for how long. */
const lookMs = 5;
const looksMax = 2000;

/** Runs something once, as soon as there is what it needs; never, if that takes long. */
export function whenever<Found>(
  field: Battlefield,
  find: () => Found | undefined,
  run: (found: Found) => void,
): void {
  const look = (left: number): void => {
    if (field.isOver || left === 0) return;
    const found = find();
    if (found === undefined) field.cluster.world.schedule(lookMs, () => look(left - 1));
    else run(found);
  };
  look(looksMax);
}
