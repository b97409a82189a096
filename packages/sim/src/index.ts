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
  type Cut,
  type NetworkWeather,
  SimNetwork,
  type SimNetworkOptions,
  fairWeather,
} from "./network.ts";
export { SeededRandom } from "./random.ts";
export { type LatencyRange, type RunLimits, World, type WorldOptions } from "./world.ts";
export { SimCluster, type SimClusterOptions } from "./cluster.ts";
export {
  type Checker,
  type ClientRead,
  type ClientWrite,
  type FinalState,
  History,
  type Violation,
} from "./history.ts";
export { type SimulationOptions, type SimulationReport, checkers, simulate } from "./simulation.ts";
export { Workload, type WorkloadOptions } from "./workload.ts";
export { runScenario } from "./scenario/run-scenario.ts";
