import { fork } from "node:child_process";
import { once } from "node:events";
import { builtFile } from "../built-file.ts";
import type { Addresses } from "../drivers/driver.ts";
import { type DriverName, driverTargets } from "../drivers/open-driver.ts";
import type { Target } from "./target.ts";

/** Protocols for which there is a server that does nothing. */
export const nullProtocols: readonly DriverName[] = ["pipe", "pipe-raw", "http", "peer", "redis"];

/** A server of this protocol that answers at once. */
export async function startNullTarget(driver: DriverName, valueBytes: number): Promise<Target> {
  const child = fork(builtFile("targets/null-server-main.js"), [driver, String(valueBytes)]);
  const [addresses] = (await once(child, "message")) as [Addresses];
  return {
    name: driverTargets[driver],
    description: "a server that answers at once",
    addresses,
    pids: child.pid === undefined ? [] : [child.pid],
    metricsDoors: [],
    stop: async () => {
      const end = once(child, "exit");
      child.disconnect();
      await end;
    },
  };
}
