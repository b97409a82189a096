import { parseArgs } from "node:util";
import type { SwarmKnobs } from "@coterie/sim";

export interface ReplayOptions {
  readonly seed: number;
  /** In the place of what the seed draws. */
  readonly knobs: Partial<SwarmKnobs>;
  readonly trace: boolean;
  /** With what disks and messages did. */
  readonly detail: boolean;
  readonly shrink: boolean;
  /** Where to write the shrunk case, as a scenario. */
  readonly write: string | undefined;
}

export const usage: string =
  "npm run sim:replay -- SEED [--knobs JSON] [--trace [--detail]] [--shrink [--write FILE]]\n";

/** The command's options; `undefined` if they make no sense. */
export function readOptions(args: readonly string[]): ReplayOptions | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        knobs: { type: "string", default: "{}" },
        trace: { type: "boolean", default: false },
        detail: { type: "boolean", default: false },
        shrink: { type: "boolean", default: false },
        write: { type: "string" },
      },
    });
    const seed = Number(positionals[0]);
    if (!Number.isSafeInteger(seed) || positionals.length !== 1) return undefined;
    const { trace, detail, shrink, write } = values;
    const knobs = JSON.parse(values.knobs) as Partial<SwarmKnobs>;
    return { seed, knobs, trace, detail, shrink, write };
  } catch {
    return undefined;
  }
}
