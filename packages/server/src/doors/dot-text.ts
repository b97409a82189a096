import type { Sibling } from "@coterie/core";

/** A version's name, `actor:counter`; a retry through another node has two of them, with a `+`. */
export function dotText({ dots }: Sibling): string {
  const [only] = dots;
  if (only !== undefined && dots.length === 1) return `${only.actor}:${only.counter}`;
  return dots.map(({ actor, counter }) => `${actor}:${counter}`).join("+");
}
