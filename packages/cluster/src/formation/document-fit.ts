import { type ClusterDocument, settingsDifferences } from "@coterie/core";
import type { NodeConfig } from "../node-config.ts";

/** Why a directory's cluster document does not go with how its node was started. */
export function problemWith(
  document: ClusterDocument,
  nonce: string,
  { member, settings }: Pick<NodeConfig, "member" | "settings">,
): string | undefined {
  const self = document.members.find(({ id }) => id === member.id);
  if (self === undefined || self.nonce !== nonce) {
    return `the cluster in this directory has no member ${member.id} with this directory`;
  }
  if (self.address !== member.address) {
    return (
      `this directory's cluster knows ${member.id} at ${self.address}, not ` +
      `${member.address}: start it with --peer ${self.address}`
    );
  }
  const differences = settingsDifferences(document.settings, settings);
  if (differences.length === 0) return undefined;
  return (
    `${member.id} is configured otherwise than its cluster was formed: ` +
    `${differences.join("; ")}. That cannot be changed yet (not-yet): put the configuration ` +
    "of all nodes back (nMax follows from --bootstrap too), or start a new cluster with " +
    "the new settings and carry the data over with coterie export and coterie import"
  );
}
