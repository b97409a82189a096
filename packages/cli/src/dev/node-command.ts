import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import type { DevDirectory } from "./dev-directory.ts";
import type { DevEndpoint, DevEndpoints } from "./endpoints-text.ts";

/** Writes what all nodes of a dev cluster share: the cluster key, and the settings. */
export function writeSharedFiles(directory: DevDirectory, endpoints: DevEndpoints): void {
  if (!existsSync(directory.clusterKeyFile)) {
    writeFileSync(directory.clusterKeyFile, randomBytes(32), { mode: 0o600 });
  }
  const { partitions, hash, engine, n, r, w } = endpoints;
  directory.writeConfig({
    partitions,
    hash,
    engine,
    nMax: n,
    buckets: { default: { n, r, w } },
    // What is tried out here is meant to be thrown away.
    respFlush: true,
  });
}

/** The arguments of `coterie` that start one node; `config` takes the place of our settings. */
export function startWords(
  { id, http, grpc, resp, peer }: DevEndpoint,
  endpoints: DevEndpoints,
  directory: DevDirectory,
  config: string | undefined,
): readonly string[] {
  return [
    "start",
    "--id",
    id,
    "--data",
    directory.nodeDirectory(id),
    "--http",
    http,
    "--grpc",
    grpc,
    "--resp",
    resp,
    "--peer",
    peer,
    "--bootstrap",
    endpoints.nodes.map((node) => node.peer).join(","),
    "--cluster-key",
    directory.clusterKeyFile,
    "--config",
    config ?? directory.configFile,
    "--processes",
    "1",
    ...(endpoints.isMemory ? ["--memory"] : []),
  ];
}
