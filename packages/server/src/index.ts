export { loadConfig, type ConfigSources } from "./config/load-config.ts";
export { type ConfigOutcome, type ServerConfig, serverSchema } from "./config/server-config.ts";
export { runServer } from "./run-server.ts";
export { type RunningServer, type ServerOutcome, startServer } from "./start-server.ts";
export { NodeRandom } from "./adapters/node-random.ts";
export { PeerNetwork } from "./adapters/peer-network/peer-network.ts";
export { SystemClock } from "./adapters/system-clock.ts";
