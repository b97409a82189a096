import { Housekeeper } from "./housekeeper.ts";
import { LogStore, type StorePorts } from "./log-store.ts";
import { createSegment } from "./log/segment-allocator.ts";
import { recover } from "./recovery/recover.ts";
import type { OpenOutcome, StoreOptions } from "./store.ts";

/**
 * Opens the store in a directory whose lock the caller holds: reads what is there, and begins a new
 * segment with the actor in force, so that nothing before it is ever written again.
 */
export async function openStore(ports: StorePorts, options: StoreOptions): Promise<OpenOutcome> {
  const { clock, disk } = ports;
  const started = clock.monotonicMs();
  const recovered = await recover(disk, options.partitions);
  if (!recovered.ok) return recovered;
  const isDamaged = recovered.damagedStretches > 0;
  const resume = isDamaged ? undefined : recovered.cleanStop;
  const segment = recovered.lastSegment + 1;
  const created = await createSegment(disk, segment, options.partitions);
  if (!created.ok) {
    const code = created.error === "full" ? "disk-full" : "io";
    return { ok: false, code, message: created.message };
  }
  const { index, damage, lsn, sequence } = recovered;
  const start = { open: created.value, sequence, lsn };
  const store = new LogStore(ports, options, { index, damage, start, resume });
  const housekeeper = new Housekeeper(store, ports, options, recovered.checkpointNumber);
  store.housekeeping = housekeeper;
  store.recordActor();
  if (isDamaged) store.recordLostWholeness();
  if (!(await store.durable())) {
    return { ok: false, code: "io", message: "the log could not be written" };
  }
  housekeeper.start();
  return {
    ok: true,
    store,
    report: {
      isNew: recovered.isNew,
      wasCleanStop: recovered.cleanStop !== undefined,
      usedCheckpoint: recovered.usedCheckpoint,
      recordsRead: recovered.recordsRead,
      bytesCut: recovered.bytesCut,
      damagedRecords: damage.tokens().length,
      durationMs: clock.monotonicMs() - started,
    },
  };
}
