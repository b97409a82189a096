import { loadDocument } from "@coterie/cluster";
import { type ClusterSettings, directoryDifferences } from "@coterie/core";
import { NodeDisk } from "../adapters/node-disk.ts";
import { bucketDifferences } from "./bucket-differences.ts";
import { readClusterKey } from "./cluster-key.ts";
import { clusterSettingsOf } from "./cluster-settings.ts";
import { type ConfigProblem, type ConfigSources, loadConfig } from "./load-config.ts";
import type { ServerConfig } from "./server-config.ts";

export interface ConfigCheck {
  /** Why a node would not start. */
  readonly problems: readonly ConfigProblem[];
  /** What is left for the environment or the command line to give, and what has no effect. */
  readonly notes: readonly string[];
}

/**
 * What a start with this configuration would complain of, before it opens a store. One file may
 * serve all nodes of a cluster, so it need not name one. If its data directory is there already, it
 * is compared with the cluster that the directory belongs to.
 */
export async function checkConfig(sources: ConfigSources): Promise<ConfigCheck> {
  const asGiven = loadConfig(sources);
  const isNameless = !asGiven.origins.has("id");
  const loaded = isNameless
    ? loadConfig({ ...sources, flags: { ...sources.flags, id: "unnamed" } })
    : asGiven;
  const notes = isNameless ? ["it names no node: give --id NAME, or COTERIE_ID, at the start"] : [];
  if (!loaded.ok) return { problems: loaded.problems.toSorted(byLine), notes };
  const problems: ConfigProblem[] = [];
  const settings = clusterSettingsOf(loaded.config);
  for (const [setting, outcome] of [
    ["buckets", settings],
    ["clusterKey", readClusterKey(loaded.config.clusterKey)],
  ] as const) {
    if (!outcome.ok) problems.push({ setting, line: undefined, message: outcome.message });
  }
  if (!settings.ok) return { problems, notes };
  const compared = await compareWithCluster(loaded.config, settings.settings);
  return {
    problems: [...problems, ...compared.problems],
    notes: [...notes, ...compared.notes],
  };
}

async function compareWithCluster(
  config: ServerConfig,
  settings: ClusterSettings,
): Promise<ConfigCheck> {
  const nothing: ConfigCheck = { problems: [], notes: [] };
  if (config.memory) return nothing;
  const loaded = await loadDocument(new NodeDisk(config.data));
  if (!loaded.ok || loaded.document === undefined) return nothing;
  const { document } = loaded;
  const problems = directoryDifferences(document.settings, settings).map((message) => {
    return { setting: message.slice(0, message.indexOf(" ")), line: undefined, message };
  });
  const notes = bucketDifferences(config, settings, document).map(({ reason }) => reason);
  return { problems, notes };
}

/** In the order of the file; what is not in it comes after. */
function byLine(left: ConfigProblem, right: ConfigProblem): number {
  const last = Number.MAX_SAFE_INTEGER;
  return (left.line ?? last) - (right.line ?? last);
}
