export { type ClockSubject, clockGuarantees } from "./clock.ts";
export { type DiskSubject, diskGuarantees } from "./disk.ts";
export type { Guarantee } from "./guarantee.ts";
export { type EngineSubject, engineGuarantees } from "./key-value-engine.ts";
export {
  type NetworkEndpoint,
  type NetworkGuarantee,
  type NetworkSubject,
  networkGuarantees,
} from "./network.ts";
export { type RandomSubject, randomGuarantees } from "./random.ts";
