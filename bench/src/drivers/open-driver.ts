import type { Driver, DriverInput } from "./driver.ts";

/** The protocols that the bench speaks, each with what it speaks to. */
export const driverTargets = {
  http: "coterie",
  peer: "coterie",
  redis: "redis",
  etcd: "etcd",
  nats: "nats",
} as const;

/** A protocol by name. */
export type DriverName = keyof typeof driverTargets;

/** A kind of store. */
export type TargetName = (typeof driverTargets)[DriverName];

/** The protocols by name. */
export const driverNames: readonly DriverName[] = Object.keys(driverTargets) as DriverName[];

const openers: Readonly<Record<DriverName, (input: DriverInput) => Promise<Driver>>> = {
  http: async (input) => (await import("./http-driver.ts")).HttpDriver.open(input),
  peer: async (input) => (await import("./peer-driver.ts")).PeerDriver.open(input),
  redis: async (input) => (await import("./redis-driver.ts")).RedisDriver.open(input),
  etcd: async (input) => (await import("./etcd-driver.ts")).EtcdDriver.open(input),
  nats: async (input) => (await import("./nats-driver.ts")).NatsDriver.open(input),
};

/** Opens a driver; those of other stores are loaded only then. */
export function openDriver(name: DriverName, input: DriverInput): Promise<Driver> {
  return openers[name](input);
}
