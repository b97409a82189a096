import type { Addresses } from "../drivers/driver.ts";
import type { TargetName } from "../drivers/open-driver.ts";

/** A running store. */
export interface Target {
  readonly name: TargetName;
  /** Which store it is, and what it has done when it acknowledges a write. */
  readonly description: string;
  readonly addresses: Addresses;
  /** Of its server processes; none if they run elsewhere. */
  readonly pids: readonly number[];
  /** `host:port` of doors that serve Coterie's /metrics. */
  readonly metricsDoors: readonly string[];
  /** Ends its processes, if it was started here, and removes their data. */
  stop(): Promise<void>;
}
