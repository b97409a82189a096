import { type Key, tokenOf } from "@coterie/core";
import type { DiskOutcome } from "@coterie/ports";
import * as io from "./disk-promises.ts";
import { LogStore, type StorePorts } from "./log-store.ts";
import { type OpenSegment, createSegment } from "./log/segment-allocator.ts";
import { compactionDraft } from "./maintenance/compact.ts";
import { Housekeeper } from "./maintenance/housekeeper.ts";
import { reserveName } from "./maintenance/space.ts";
import { recover } from "./recovery/recover.ts";
import type { OpenOutcome, StoreOptions } from "./store.ts";

/** Records replayed at a start from which the next start should be spared them. */
const replayedRecordsMax = 10_000;

/**
 * Opens the store in a directory whose lock the caller holds: reads what is there, and begins a new
 * segment with the actor in force, so that nothing before it is ever written again.
 */
export async function openStore(ports: StorePorts, options: StoreOptions): Promise<OpenOutcome> {
  const { clock, disk } = ports;
  const started = clock.monotonicMs();
  const { partitions, classOf } = options;
  const space = { partitions, classOf, tokenOf: (key: Key) => tokenOf(key, options) };
  const recovered = await recover(disk, space);
  if (!recovered.ok) return recovered;
  await io.remove(disk, compactionDraft);
  const { index, damage, removals, discards, lsn, sequence, cleanStop } = recovered;
  const { lostWholeness, newlyDamaged } = recovered;
  const foundDamage = lostWholeness || newlyDamaged.length > 0;
  const segment = recovered.lastSegment + 1;
  const created = await createFirst(ports, segment, options.partitions);
  if (!created.ok) {
    const code = created.error === "full" ? "disk-full" : "io";
    return { ok: false, code, message: created.message };
  }
  const start = { open: created.value, sequence, lsn };
  const resume = foundDamage ? undefined : cleanStop;
  const store = new LogStore(ports, options, {
    index,
    damage,
    removals,
    discards,
    start,
    resume,
  });
  const housekeeper = new Housekeeper(store, ports, options, {
    checkpointNumber: recovered.checkpointNumber,
    isCheckpointDue: foundDamage || recovered.recordsRead > replayedRecordsMax,
  });
  const begun = await store.begin(housekeeper, recovered);
  if (begun !== "begun") return { ok: false, code: begun, message: "the log cannot be written" };
  return {
    ok: true,
    store,
    report: {
      isNew: recovered.isNew,
      wasCleanStop: cleanStop !== undefined,
      usedCheckpoint: recovered.usedCheckpoint,
      recordsRead: recovered.recordsRead,
      bytesCut: recovered.bytesCut,
      damagedRecords: damage.tokens().length,
      durationMs: clock.monotonicMs() - started,
    },
  };
}

/** On a full disk the reserve is what a start needs most. */
async function createFirst(
  ports: StorePorts,
  segment: number,
  partitions: number,
): Promise<DiskOutcome<OpenSegment>> {
  const created = await createSegment(ports, segment, partitions);
  if (created.ok || created.error !== "full") return created;
  const removed = await io.remove(ports.disk, reserveName);
  return removed.ok ? createSegment(ports, segment, partitions) : created;
}
