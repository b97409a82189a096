import { type StatsFs, statfsSync } from "node:fs";
import type { EngineName } from "../config/server-config.ts";
import { type MetricReading, gauge, labelled } from "./metric.ts";

/** The place of a node's data. */
export interface DataPlace {
  /** `undefined` if it is in memory only. */
  readonly directory: string | undefined;
  readonly durability: "fsync" | "os";
  /** What keeps the records. */
  readonly engine: EngineName;
}

/** Magic numbers of linux/magic.h. */
const filesystems: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0x2fc12fc1, "zfs"],
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
  [0x794c7630, "overlay"],
  [0x6969, "nfs"],
  [0x65735546, "fuse"],
]);

/** The disk under the data directory. */
export function dataReadings({
  directory,
  durability,
  engine,
}: DataPlace): readonly MetricReading[] {
  const stat = (): StatsFs | undefined => {
    try {
      return directory === undefined ? undefined : statfsSync(directory);
    } catch {
      return undefined;
    }
  };
  const bytes = (of: "blocks" | "bavail") => (): number | undefined => {
    const known = stat();
    return known === undefined ? undefined : known[of] * known.bsize;
  };
  return [
    gauge("disk_available_bytes", "Free bytes of the data's filesystem.", bytes("bavail")),
    gauge("disk_total_bytes", "Bytes of the data's filesystem.", bytes("blocks")),
    labelled(
      { name: "coterie_data_info", help: "1; the labels say where data is.", type: "gauge" },
      () => [
        {
          labels: { filesystem: filesystemOf(directory, stat()?.type), durability, engine },
          value: 1,
        },
      ],
    ),
  ];
}

function filesystemOf(directory: string | undefined, type: number | undefined): string {
  if (directory === undefined) return "memory";
  if (type === undefined) return "unknown";
  return filesystems.get(type >>> 0) ?? `0x${(type >>> 0).toString(16)}`;
}
