import { type Key, tokenOf } from "@coterie/core";
import type { Disk, KeyValueEngine } from "@coterie/ports";
import * as io from "./disk-promises.ts";
import { LogStore, type StorePorts } from "./log-store.ts";
import { leveledPrefix, openLeveledStore } from "./leveled/open-leveled-store.ts";
import { segmentNumber } from "./log/format.ts";
import { createFirst } from "./log/first-segment.ts";
import { compactionDraft } from "./maintenance/compact.ts";
import { Housekeeper } from "./maintenance/housekeeper.ts";
import { recover } from "./recovery/recover.ts";
import type { OpenOutcome, StoreOptions } from "./store.ts";

/** Records replayed at a start from which the next start should be spared them. */
const replayedRecordsMax = 10_000;

/**
 * Opens the store in a directory whose lock the caller holds. With an engine, the records are kept
 * there; without, the log is the database. A directory keeps to one of them.
 */
export async function openStore(
  ports: StorePorts,
  options: StoreOptions,
  engine?: KeyValueEngine,
): Promise<OpenOutcome> {
  const problem = await otherEngineIn(ports.disk, engine);
  if (problem !== undefined) return { ok: false, code: "other-engine", message: problem };
  return engine === undefined
    ? openLogStore(ports, options)
    : openLeveledStore(ports, options, engine);
}

/** Says so if another engine has written the directory: this one would take it for empty. */
async function otherEngineIn(
  disk: Disk,
  engine: KeyValueEngine | undefined,
): Promise<string | undefined> {
  const listed = await io.list(disk);
  const names = listed.ok ? listed.value : [];
  const hasLog = names.some((name) => segmentNumber(name) !== undefined);
  const hasEngine = names.some((name) => name.startsWith(leveledPrefix));
  const found = engine === undefined ? hasEngine : hasLog;
  if (!found) return undefined;
  const [written, asked] = engine === undefined ? ["leveldb", "log"] : ["log", engine.name];
  return (
    `the directory was written with engine ${written}, not ${asked}: start it with engine ` +
    `${written}; to change the engine of a node, give it an empty directory, which the other ` +
    "nodes fill again"
  );
}

/**
 * Reads what is there, and begins a new segment with the actor in force, so that nothing before it
 * is ever written again.
 */
async function openLogStore(ports: StorePorts, options: StoreOptions): Promise<OpenOutcome> {
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
