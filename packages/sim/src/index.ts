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
