export { HttpClient, type HttpAnswer } from "./http-client.ts";
export { type KillStormReport, describeStorm, killStorm } from "./kill-storm.ts";
export { type Endpoint, RealCluster, type RealClusterOptions } from "./real-cluster.ts";
export { pathOf } from "./writers.ts";
