import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

const pollMs = 100;

/** Records that a node holds for another one. */
export interface Debt {
  readonly target: string;
  readonly records: number;
}

/** What these nodes owe to others that were away, as they say. */
export async function debtsOf(doors: readonly string[]): Promise<readonly Debt[]> {
  const answers = await Promise.all(
    doors.map(async (door) => {
      const answer = await fetch(`http://${door}/v1/hints`);
      return (await answer.json()) as { readonly debts?: readonly Debt[] };
    }),
  );
  return answers.flatMap(({ debts = [] }) => debts);
}

/** Until none of these nodes owes another anything, or that has taken too long. */
export async function untilPaid(doors: readonly string[], patienceMs: number): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (performance.now() < endMs) {
    if ((await debtsOf(doors)).every(({ records }) => records === 0)) return;
    await sleep(pollMs);
  }
}
