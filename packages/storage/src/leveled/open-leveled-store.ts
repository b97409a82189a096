import { type Key, type PartitionId, tokenOf } from "@coterie/core";
import type { EngineFailure, KeyValueEngine } from "@coterie/ports";
import { createFirst } from "../log/first-segment.ts";
import { SegmentFiles } from "../log/segment-files.ts";
import type { StorePorts } from "../log-store.ts";
import { PrefixedDisk } from "../prefixed-disk.ts";
import { Damage } from "../recovery/damage.ts";
import type { OpenOutcome, PlacedToken, StoreOptions } from "../store.ts";
import { engineCall } from "./engine-promises.ts";
import { LeveledStore } from "./leveled-store.ts";
import { recoverLeveled } from "./recover-leveled.ts";
import { RowCache } from "./row-cache.ts";
import { Rows } from "./rows.ts";
import { Summaries } from "./summaries.ts";
import { Upkeep } from "./upkeep.ts";

/** What the files of a store over an engine begin with: no other store takes them for its own. */
export const leveledPrefix = "engine.";

/** Where damage goes: what a start finds has to be remembered before there is a store. */
interface DamageSink {
  store: LeveledStore | undefined;
  readonly found: (PlacedToken | PartitionId)[];
}

/**
 * Opens the store in a directory whose lock the caller holds, and in an engine that is not open:
 * replays what of the log the engine does not have.
 */
export async function openLeveledStore(
  ports: StorePorts,
  options: StoreOptions,
  engine: KeyValueEngine,
): Promise<OpenOutcome> {
  const { clock } = ports;
  const started = clock.monotonicMs();
  const disk = new PrefixedDisk(ports.disk, leveledPrefix);
  const own = { ...ports, disk };
  const opened = await openEngine(engine);
  if (!opened.ok) return failed(engine, opened);
  const { partitions, classOf } = options;
  const space = { partitions, classOf, tokenOf: (key: Key) => tokenOf(key, options) };
  const summaries = new Summaries(partitions);
  const damage = new Damage();
  const sink: DamageSink = { store: undefined, found: [] };
  const rows = rowsOver(engine, options, { summaries, damage, sink });
  const { wasRepaired } = opened;
  const recovered = await recoverLeveled({
    disk,
    engine,
    space,
    rows,
    summaries,
    damage,
    wasRepaired,
  });
  if (!recovered.ok) return closed(engine, recovered);
  const { lostWholeness, lsn, sequence, cleanStop } = recovered;
  const created = await createFirst(own, recovered.lastSegment + 1, partitions);
  if (!created.ok) {
    const code = created.error === "full" ? "disk-full" : "io";
    return closed(engine, { ok: false, code, message: created.message });
  }
  const foundDamage = lostWholeness || sink.found.length > 0;
  const start = { open: created.value, sequence, lsn };
  const resume = foundDamage ? undefined : cleanStop;
  const state = { rows, summaries, damage, start, resume };
  const store = new LeveledStore(own, options, state, engine, new SegmentFiles(disk));
  sink.store = store;
  const upkeep = new Upkeep(store, engine, own, options);
  const begun = await store.begin(upkeep, { lostWholeness, damaged: sink.found });
  if (begun !== "begun") {
    return closed(engine, { ok: false, code: begun, message: "the log cannot be written" });
  }
  return {
    ok: true,
    store,
    report: {
      isNew: recovered.isNew,
      wasCleanStop: cleanStop !== undefined,
      usedCheckpoint: recovered.usedMarker,
      recordsRead: recovered.recordsRead,
      bytesCut: recovered.bytesCut,
      damagedRecords: damage.tokens().length,
      durationMs: clock.monotonicMs() - started,
    },
  };
}

function rowsOver(
  engine: KeyValueEngine,
  { partitions, cacheBytes }: StoreOptions,
  { summaries, damage, sink }: { summaries: Summaries; damage: Damage; sink: DamageSink },
): Rows {
  return new Rows({
    engine,
    partitions,
    summaries,
    cache: new RowCache(cacheBytes),
    onDamage: (place, detail) => {
      if (sink.store !== undefined) return sink.store.noteDamage(place, detail);
      if (damage.add({ ...place, segment: 0, offset: 0 })) sink.found.push(place);
    },
    onLost: (partition, detail) => {
      if (sink.store !== undefined) return sink.store.noteLost(partition, detail);
      damage.losePartition(partition);
      sink.found.push(partition);
    },
  });
}

type EngineOpened = { readonly ok: true; readonly wasRepaired: boolean } | EngineFailure;

/** A damaged engine is rescued as far as it goes: what is lost, nobody knows. */
async function openEngine(engine: KeyValueEngine): Promise<EngineOpened> {
  const opened = await engineCall<void>((settle) => engine.open(settle));
  if (opened.ok) return { ok: true, wasRepaired: false };
  if (opened.error !== "corrupt") return opened;
  const repaired = await engineCall<void>((settle) => engine.repair(settle));
  const again = repaired.ok ? await engineCall<void>((settle) => engine.open(settle)) : repaired;
  return again.ok ? { ok: true, wasRepaired: true } : again;
}

function failed(engine: KeyValueEngine, { error, message }: EngineFailure): OpenOutcome {
  const code = error === "full" ? "disk-full" : "io";
  return { ok: false, code, message: `${engine.name} cannot be opened: ${message}` };
}

async function closed(
  engine: KeyValueEngine,
  failure: Exclude<OpenOutcome, { readonly ok: true }>,
): Promise<OpenOutcome> {
  await engineCall<void>((settle) => engine.close(settle));
  return failure;
}
