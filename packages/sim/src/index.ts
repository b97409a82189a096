export { SimClock, type SimClockOptions } from "./clock.ts";
export {
  type DiskFault,
  type DiskImage,
  type DiskLatencies,
  type DiskOperation,
  SimDisk,
  type SimDiskOptions,
} from "./disk.ts";
export {
  type EngineFault,
  type EngineImage,
  type EngineOperation,
  SimEngine,
} from "./key-value-engine.ts";
export {
  type Cut,
  type NetworkWeather,
  SimNetwork,
  type SimNetworkOptions,
  fairWeather,
} from "./network.ts";
export { Arena, type Memory } from "./memory.ts";
export { SeededRandom } from "./random.ts";
export {
  type LatencyRange,
  type RunLimits,
  type Turns,
  World,
  type WorldOptions,
} from "./world.ts";
export { SimCluster, type SimClusterOptions, contextKey } from "./cluster.ts";
export type { Evidence, EvidenceChecker } from "./evidence.ts";
export { type FaultKind, type FaultKindInfo, faultKinds } from "./faults/kinds.ts";
export {
  type BucketPromises,
  type Checker,
  type ClientRead,
  type ClientScan,
  type ClientWrite,
  type FinalState,
  History,
  type Violation,
} from "./history.ts";
export {
  type SimulationOptions,
  type SimulationReport,
  checkers,
  evidenceCheckers,
  simulate,
} from "./simulation.ts";
export {
  type BucketKnobs,
  type ClientKnobs,
  type SwarmKnobs,
  type WeatherKnobs,
  crowded,
  drawKnobs,
} from "./swarm-knobs.ts";
export type { ContendedKey } from "./contended-key.ts";
export { Workload, type WorkloadWatcher } from "./workload.ts";
export { runDirectoryLife } from "./directory-life.ts";
export { runScenario } from "./scenario/run-scenario.ts";
export { type Shrunk, shrink, turnedKnobs } from "./shrink.ts";
export { timeline } from "./timeline.ts";
