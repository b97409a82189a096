export { type Endpoint, RealCluster, type RealClusterOptions } from "./real-cluster.ts";
