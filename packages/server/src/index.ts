export { setCollectorFlags } from "./collector-flags.ts";
export { type ConfigCheck, checkConfig } from "./config/check-config.ts";
export { configTemplate } from "./config/config-template.ts";
export {
  type ConfigOutcome,
  type ConfigProblem,
  type ConfigSources,
  type SettingOrigin,
  loadConfig,
} from "./config/load-config.ts";
export { type NodePlan, type NodePlans, nodePlans } from "./config/node-plans.ts";
export { type ResolvedSetting, resolvedSettings } from "./config/resolved-settings.ts";
export {
  type EngineName,
  type ServerConfig,
  type SettingDescription,
  engineNames,
  settings,
} from "./config/server-config.ts";
export { type Log, openLog } from "./observability/log.ts";
export { runServer } from "./run-server.ts";
export type { RunningServer } from "./running-server.ts";
export { type ServerStart, type StartOptions, startServer } from "./start-server.ts";
export { LevelEngine, loadLevel } from "./adapters/level-engine.ts";
export { makeDirectory } from "./adapters/make-directory.ts";
export { NodeDisk } from "./adapters/node-disk.ts";
export { NodeRandom } from "./adapters/node-random.ts";
export { PeerNetwork } from "./adapters/peer-network/peer-network.ts";
export { PeerServer } from "./adapters/peer-network/peer-server.ts";
export { SystemClock } from "./adapters/system-clock.ts";
