import { readClusterKey } from "./cluster-key.ts";
import { clusterSettingsOf } from "./cluster-settings.ts";
import { type ConfigProblem, type ConfigSources, loadConfig } from "./load-config.ts";

export interface ConfigCheck {
  /** Why a node would not start. */
  readonly problems: readonly ConfigProblem[];
  /** What is left for the environment or the command line to give. */
  readonly notes: readonly string[];
}

/**
 * What a start with this configuration would complain of, before it opens anything. One file may
 * serve all nodes of a cluster, so it need not name one.
 */
export function checkConfig(sources: ConfigSources): ConfigCheck {
  const asGiven = loadConfig(sources);
  const isNameless = !asGiven.origins.has("id");
  const loaded = isNameless
    ? loadConfig({ ...sources, flags: { ...sources.flags, id: "unnamed" } })
    : asGiven;
  const notes = isNameless ? ["it names no node: give --id NAME, or COTERIE_ID, at the start"] : [];
  if (!loaded.ok) return { problems: loaded.problems.toSorted(byLine), notes };
  const problems: ConfigProblem[] = [];
  for (const [setting, outcome] of [
    ["buckets", clusterSettingsOf(loaded.config)],
    ["clusterKey", readClusterKey(loaded.config.clusterKey)],
  ] as const) {
    if (!outcome.ok) problems.push({ setting, line: undefined, message: outcome.message });
  }
  return { problems, notes };
}

/** In the order of the file; what is not in it comes after. */
function byLine(left: ConfigProblem, right: ConfigProblem): number {
  const last = Number.MAX_SAFE_INTEGER;
  return (left.line ?? last) - (right.line ?? last);
}
