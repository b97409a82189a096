import { Coterie } from "@coterie/client";
import type { Endpoint } from "@coterie/e2e";
import { readSerials } from "./ledger-driver.ts";
import type { Obligations } from "./obligations.ts";

/** What reading every key back through one node has shown. */
export interface Check {
  readonly node: string;
  readonly keys: number;
  /** Acknowledged writes that are neither there nor replaced. */
  readonly lost: number;
  readonly unreadable: number;
  /** The first few, in words. */
  readonly examples: readonly string[];
}

const inFlight = 32;
const examplesMax = 5;

/** Reads every key through each node by itself, and holds what is there to what must be. */
export async function check(
  nodes: readonly Endpoint[],
  obligations: Obligations,
): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const node of nodes) checks.push(await checkThrough(node, obligations));
  return checks;
}

async function checkThrough({ id, grpc }: Endpoint, obligations: Obligations): Promise<Check> {
  const coterie = new Coterie({ nodes: [grpc] });
  const examples: string[] = [];
  let lost = 0;
  let unreadable = 0;
  const { keys } = obligations;
  const queue = keys.values();
  const example = (text: string): void => {
    if (examples.length < examplesMax) examples.push(`${text} through ${id}`);
  };
  const lane = async (): Promise<void> => {
    for (const key of queue) {
      try {
        const { serials } = await readSerials(coterie, key);
        const missing = obligations.missing(key, serials);
        lost += missing.length;
        if (missing.length > 0) example(`${key}: write ${missing.join(", ")} is lost`);
      } catch (error) {
        unreadable += 1;
        example(`${key}: ${(error as Error).message}`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: inFlight }, lane));
  } finally {
    await coterie.close({ drain: false });
  }
  return { node: id, keys: keys.length, lost, unreadable, examples };
}
