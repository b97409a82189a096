import { type StoreStatistics, fsyncBoundsMs } from "@coterie/storage";
import { histogramSamples } from "./counted-histogram.ts";
import { type MetricReading, counter, gauge } from "./metric.ts";

type Count = {
  [Name in keyof StoreStatistics]: StoreStatistics[Name] extends number ? Name : never;
}[keyof StoreStatistics];

/** What the store counts; nothing until it is open. */
export function storeReadings(
  statistics: () => StoreStatistics | undefined,
): readonly MetricReading[] {
  const of =
    (name: Count, scale: number = 1) =>
    (): number | undefined => {
      const value = statistics()?.[name];
      return value === undefined ? undefined : value * scale;
    };
  return [
    gauge("store_keys", "Keys in the index, tombstones included.", of("keys")),
    gauge("store_index_bytes", "Memory of the index.", of("indexBytes")),
    gauge("store_segments", "Segments of the log.", of("segments")),
    gauge("store_live_bytes", "Bytes of the log that the index points to.", of("bytesLive")),
    gauge("store_dead_bytes", "Bytes of the log that compaction may free.", of("bytesDead")),
    gauge("store_disk_bytes", "Bytes of the log.", of("bytesOnDisk")),
    counter("store_appended_bytes_total", "Bytes appended to the log.", of("bytesAppended")),
    counter("store_appended_records_total", "Records appended.", of("recordsAppended")),
    counter("store_groups_total", "Groups committed.", of("groups")),
    counter("store_fsyncs_total", "Syncs of the log.", of("fsyncs")),
    fsyncTimes(statistics),
    gauge("store_fsync_max_seconds", "The longest sync.", of("fsyncMsMax", 0.001)),
    gauge("store_queue_bytes", "Bytes of updates that wait.", of("queueBytes")),
    gauge("store_queue_operations", "Updates that wait.", of("queueOperations")),
    counter("store_disk_reads_total", "Records read from the disk.", of("readsFromDisk")),
    counter("store_cache_reads_total", "Records found in memory.", of("readsFromCache")),
    counter("store_compactions_total", "Compactions.", of("compactions")),
    counter("store_compacted_bytes_total", "Bytes that compaction copied.", of("bytesCompacted")),
    counter("store_checkpoints_total", "Checkpoints of the index.", of("checkpoints")),
    counter("store_scrubbed_bytes_total", "Bytes that the scrub read.", of("scrubbedBytes")),
    counter("store_damaged_records_total", "Records found damaged.", of("damagedRecords")),
    gauge("store_disk_full", "1 while the disk is full.", () => {
      const known = statistics();
      return known === undefined ? undefined : Number(known.isDiskFull);
    }),
  ];
}

function fsyncTimes(statistics: () => StoreStatistics | undefined): MetricReading {
  const name = "coterie_store_fsync_seconds";
  const bounds = fsyncBoundsMs.map((ms) => ms / 1000);
  return {
    name,
    help: "Time that one sync took.",
    type: "histogram",
    read: () => {
      const known = statistics();
      if (known === undefined) return [];
      const { fsyncCounts: counts, fsyncMsTotal } = known;
      return histogramSamples(name, {}, { bounds, counts, sum: fsyncMsTotal / 1000 });
    },
  };
}
