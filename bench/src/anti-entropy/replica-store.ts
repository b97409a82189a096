import type { NodeConfig } from "@coterie/cluster";

const mebibyte = 1024 * 1024;

/** The stores of this bench, as a server has them by default. */
export const replicaStore: NodeConfig["store"] = {
  segmentBytes: 64 * mebibyte,
  queueBytesMax: 64 * mebibyte,
  reserveBytes: 16 * mebibyte,
  durability: "fsync",
  cacheBytes: 32 * mebibyte,
  onFatal: (reason) => {
    throw new Error(reason);
  },
  onEvent: () => undefined,
};
