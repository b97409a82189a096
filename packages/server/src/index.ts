export { loadConfig, type ConfigSources } from "./config/load-config.ts";
export { type ConfigOutcome, type ServerConfig, serverSchema } from "./config/server-config.ts";
export { runServer } from "./run-server.ts";
export { type RunningServer, type ServerOutcome, startServer } from "./start-server.ts";
