import type { Driver, DriverInput } from "./driver.ts";

/** The protocols that the bench speaks, each with what it speaks to. */
export const driverTargets = {
  pipe: "coterie",
  "pipe-lww": "coterie",
  "pipe-raw": "coterie",
  http: "coterie",
  "http-door": "coterie",
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

/** The door that each protocol needs, where several share one. */
const doors: Readonly<Partial<Record<DriverName, string>>> = {
  pipe: "grpc",
  "pipe-lww": "grpc",
  "pipe-raw": "grpc",
  "http-door": "http",
};

/** The name of a protocol's addresses. */
export function doorOf(name: DriverName): string {
  return doors[name] ?? name;
}

const openers: Readonly<Record<DriverName, (input: DriverInput) => Promise<Driver>>> = {
  pipe: async (input) => (await import("./pipe-driver.ts")).PipeDriver.open(input),
  "pipe-lww": async (input) => (await import("./pipe-driver.ts")).PipeDriver.openLww(input),
  "pipe-raw": async (input) => (await import("./pipe-raw-driver.ts")).PipeRawDriver.open(input),
  http: async (input) => (await import("./http-driver.ts")).HttpDriver.open(input),
  "http-door": async (input) => (await import("./http-driver.ts")).HttpDriver.openDoorOnly(input),
  peer: async (input) => (await import("./peer-driver.ts")).PeerDriver.open(input),
  redis: async (input) => (await import("./redis-driver.ts")).RedisDriver.open(input),
  etcd: async (input) => (await import("./etcd-driver.ts")).EtcdDriver.open(input),
  nats: async (input) => (await import("./nats-driver.ts")).NatsDriver.open(input),
};

/** Opens a driver; those of other stores are loaded only then. */
export function openDriver(name: DriverName, input: DriverInput): Promise<Driver> {
  return openers[name](input);
}
