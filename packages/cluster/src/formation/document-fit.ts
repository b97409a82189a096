import {
  type ClusterDocument,
  directoryDifferences,
  levelOf,
  problemWithLevel,
} from "@coterie/core";
import type { NodeConfig } from "../node-config.ts";

/** Why a directory's cluster document does not go with how its node was started. */
export function problemWith(
  document: ClusterDocument,
  nonce: string,
  { member, settings, levels }: Pick<NodeConfig, "member" | "settings" | "levels">,
): string | undefined {
  const tooFar = problemWithLevel(levelOf(document), levels);
  if (tooFar !== undefined) return tooFar;
  const self = document.members.find(({ id }) => id === member.id);
  if (self === undefined || self.nonce !== nonce) {
    return `the cluster in this directory has no member ${member.id} with this directory`;
  }
  if (self.address !== member.address) {
    return (
      `this directory's cluster knows ${member.id} at ${self.address}, not ` +
      `${member.address}: start it with --peer ${self.address}, or a node of its own with ` +
      "another --id"
    );
  }
  // What shapes a directory cannot differ; all other settings are the cluster's.
  const differences = directoryDifferences(document.settings, settings);
  if (differences.length === 0) return undefined;
  return (
    `${member.id} is configured otherwise than its cluster was formed: ` +
    `${differences.join("; ")}. That cannot be changed yet (not-yet): put the configuration ` +
    "back, or start a new cluster with the new settings and carry the data over with " +
    "coterie export and coterie import"
  );
}

/** Why a node that offers itself cannot become a member of that cluster. */
export function problemOfOffer(
  document: ClusterDocument,
  { member, settings, levels }: Pick<NodeConfig, "member" | "settings" | "levels">,
): string | undefined {
  const tooFar = problemWithLevel(levelOf(document), levels);
  if (tooFar !== undefined) return tooFar;
  const { id, address } = member;
  const taken = document.members.find((known) => known.address === address);
  if (taken !== undefined) {
    return (
      `${taken.id} of the cluster that ${id} was pointed to has the address ${address}: ` +
      "start this node with another --peer"
    );
  }
  const differences = directoryDifferences(document.settings, settings);
  if (differences.length === 0) return undefined;
  const { partitions, hash } = document.settings;
  return (
    `${id} cannot join: ${differences.join("; ")}. Start it with --partitions ${partitions} ` +
    `--hash ${hash}, on an empty directory`
  );
}
