export { loadConfig, type ConfigSources } from "./config/load-config.ts";
export { type ConfigOutcome, type ServerConfig, serverSchema } from "./config/server-config.ts";
