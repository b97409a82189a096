export { Command } from "./command.ts";
export { type Endpoint, RealCluster, type RealClusterOptions } from "./real-cluster.ts";
