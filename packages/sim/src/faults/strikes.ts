import type { NodeId } from "@coterie/core";
import type { DiskOperation, SimDisk } from "../disk.ts";
import type { SeededRandom } from "../random.ts";
import {
  type Battlefield,
  type Duration,
  type Strike,
  addressOf,
  cutFor,
  pick,
  running,
} from "./battlefield.ts";
import { echo, powerAtReaping, wear } from "./fence-strikes.ts";
import { guestsDie } from "./guests-die.ts";
import type { FaultKind } from "./kinds.ts";
import { leaverCut } from "./leaver-cut.ts";
import { leftBehind } from "./left-behind.ts";
import { loseBesideStale, readsFail, segmentsRot, wiped } from "./lose-beside-stale.ts";
import { rottableSegments } from "./rottable-segments.ts";

/**
 * Wall clocks stay within this of the truth: above twice as much a retry may come when its write
 * id is forgotten, which is documented.
 */
export const wallOffsetMsMax = 50_000;
const plentyBytes = Number.MAX_SAFE_INTEGER;

/** One per kind of fault. */
export const strikes: Readonly<Record<FaultKind, Strike>> = {
  kill: (field, random) => crashOne(field, random, "kill"),
  power: (field, random) =>
    random.chance(500) ? powerWhileBehind(field, random) : crashOne(field, random, "power"),
  "power-everywhere": ({ cluster }) => {
    for (const id of cluster.ids) cluster.crash(id, "power");
    return true;
  },
  "power-after-ack": (field, random) => {
    field.onNextAck(() => powerOfMany(field, random));
    return true;
  },
  "power-after-read": (field, random) => {
    allFallBehind(field, random);
    field.onNextEarlyRead(() => powerOfMany(field, random));
    return true;
  },
  pause: (field, random) => {
    const id = running(field, random);
    if (id === undefined) return false;
    field.cluster.pause(id);
    field.mendAfter(50 + random.below(3000), () => field.cluster.resume(id));
    return true;
  },
  stop,
  cut: (field, random) => {
    const id = pick(random, field.cluster.ids);
    const kind = random.chance(700) ? "silent" : "refusing";
    const direction = random.below(3);
    for (const other of field.cluster.ids) {
      if (other === id || random.chance(200)) continue;
      if (direction !== 1) cutFor(field, random, { from: id, to: other, kind });
      if (direction !== 0) cutFor(field, random, { from: other, to: id, kind });
    }
    return true;
  },
  partition: (field, random) => partition(field, random, { least: 100, more: 2500 }),
  split: (field, random) => partition(field, random, { least: 4000, more: 12_000 }),
  "dead-stream": ({ cluster }, random) => {
    for (const id of cluster.ids) {
      const other = pick(random, cluster.ids);
      if (other !== id) cluster.network.breakStream(addressOf(id), addressOf(other));
    }
    return true;
  },
  "slow-peer": (field, random) => {
    const { network, ids } = field.cluster;
    const address = addressOf(pick(random, ids));
    network.slow(address, 5 + random.below(100));
    field.mendAfter(200 + random.below(2000), () => network.slow(address, 1));
    return true;
  },
  "clock-jump": ({ cluster }, random) => {
    cluster.setWall(
      pick(random, cluster.ids),
      random.below(2 * wallOffsetMsMax + 1) - wallOffsetMsMax,
    );
    return true;
  },
  "sync-error": (field, random) =>
    random.chance(300) ? failEverySync(field, random) : failOnce(field, random, "sync"),
  "write-error": (field, random) => failOnce(field, random, "write"),
  "read-error": (field, random) =>
    random.fork("aimed").chance(500)
      ? loseBesideStale(field, random, readsFail)
      : failOnce(field, random, "read"),
  "full-disk": (field, random) => {
    const id = pick(random, field.cluster.ids);
    setCapacity(field, id, 1000);
    field.mendAfter(100 + random.below(1500), () => setCapacity(field, id, plentyBytes));
    return true;
  },
  "slow-disk": (field, random) => {
    const id = running(field, random);
    if (id === undefined) return false;
    const disk = field.cluster.disk(id);
    disk.slowdown = 5 + random.below(100);
    field.mendAfter(200 + random.below(2000), () => {
      disk.slowdown = 1;
    });
    return true;
  },
  wipe: (field, random) =>
    random.fork("aimed").chance(500) ? loseBesideStale(field, random, wiped) : wipe(field, random),
  rot: (field, random) =>
    random.fork("aimed").chance(500)
      ? loseBesideStale(field, random, segmentsRot)
      : rot(field, random),
  rollback,
  "guests-die": guestsDie,
  echo,
  wear,
  "power-at-reaping": powerAtReaping,
  "leaver-cut": leaverCut,
  "left-behind": leftBehind,
};

/** Two sides; long enough, each side takes the other one for dead. */
function partition(field: Battlefield, random: SeededRandom, ms: Duration): boolean {
  const kind = random.chance(700) ? "silent" : "refusing";
  const sides = new Map(field.cluster.ids.map((id) => [id, random.below(2)]));
  for (const from of field.cluster.ids) {
    for (const to of field.cluster.ids) {
      if (sides.get(from) !== sides.get(to)) cutFor(field, random, { from, to, kind }, ms);
    }
  }
  return new Set(sides.values()).size > 1;
}

/** A clean stop, and another start. */
function stop(field: Battlefield, random: SeededRandom): boolean {
  const { cluster } = field;
  const id = running(field, random);
  const node = id === undefined ? undefined : cluster.node(id);
  if (id === undefined || node === undefined) return false;
  cluster.world.trace(`${id} is asked to stop`);
  const end = (): void => {
    if (cluster.node(id) === node) cluster.crash(id, "kill");
  };
  void node.stop().then(end);
  // Who does not stop in time is killed.
  field.mendAfter(5000, end);
  return true;
}

/**
 * The machine comes back with an empty disk, and its node has to rejoin. Now and then the disk that
 * it had is found again: perhaps before its place was given to the empty one, perhaps too late.
 */
function wipe(field: Battlefield, random: SeededRandom): boolean {
  const { cluster, supervisor } = field;
  const id = running(field, random);
  if (id === undefined) return false;
  cluster.crash(id, "power");
  const own = cluster.replaceDisk(id, new Map());
  if (random.chance(500)) return true;
  field.mendAfter(1000 + random.below(15_000), () => {
    cluster.crash(id, "power");
    const spare = cluster.insertDisk(id, own);
    // What makes room again looks for the disk that is in its place then.
    for (const disk of [own, spare]) disk.capacityBytes = plentyBytes;
    supervisor.noteFound(id, spare);
  });
  return true;
}

/** Bits flip in segments that are not written to: rot at a log's end looks like a torn write. */
function rot(field: Battlefield, random: SeededRandom): boolean {
  const { cluster } = field;
  const id = running(field, random);
  if (id === undefined) return false;
  const disk = cluster.disk(id);
  // The last one may have been allocated ahead, and nothing be in it.
  const sealed = rottableSegments(disk.image(), { spared: 2 });
  if (sealed.length === 0) return false;
  field.bereft.add(id);
  for (const [name, { length }] of sealed) {
    for (let hits = 0; hits < 3 && length > 0; hits += 1) {
      disk.flipBit(name, random.below(length), random.below(8));
    }
  }
  if (random.chance(500)) cluster.crash(id, "kill");
  return true;
}

/** The directory is put back from a copy that was taken while its process ran. */
function rollback(field: Battlefield, random: SeededRandom): boolean {
  const { cluster } = field;
  const id = running(field, random);
  if (id === undefined) return false;
  const image = cluster.disk(id).image();
  const soonMs = 100 + random.below(1500);
  // Where tombstones are reaped, the copy may be from before that.
  const isOld = field.lullMs !== undefined && random.chance(600);
  field.mendAfter(isOld ? soonMs + (field.lullMs ?? 0) : soonMs, () => {
    if (!cluster.isUp(id)) return;
    field.bereft.add(id);
    if (!field.forgetful.has(id)) field.forgetful.set(id, cluster.world.nowMs);
    cluster.crash(id, "power");
    cluster.replaceDisk(id, image);
  });
  return true;
}

function crashOne(field: Battlefield, random: SeededRandom, kind: "kill" | "power"): boolean {
  const { cluster } = field;
  const up = cluster.ids.filter((id) => cluster.isUp(id));
  if (up.length === 0) return false;
  cluster.crash(pick(random, up), kind);
  return true;
}

/**
 * A disk falls behind, so that others hear of writes long before they are durable at the node; then
 * its power fails. A dot that was sent and not stored must not be minted again.
 */
function powerWhileBehind(field: Battlefield, random: SeededRandom): boolean {
  const { cluster } = field;
  const id = running(field, random);
  const node = id === undefined ? undefined : cluster.node(id);
  if (id === undefined || node === undefined) return false;
  cluster.disk(id).slowdown = 50 + random.below(200);
  field.mendAfter(20 + random.below(200), () => {
    if (cluster.node(id) === node) cluster.crash(id, "power");
  });
  return true;
}

/** Power fails at all nodes, or at some of them. */
function powerOfMany({ cluster }: Battlefield, random: SeededRandom): void {
  const isTotal = random.chance(500);
  for (const id of cluster.ids) if (isTotal || random.chance(500)) cluster.crash(id, "power");
}

/** Disks fall behind, so that reads meet what is nowhere durable yet. */
function allFallBehind(field: Battlefield, random: SeededRandom): void {
  for (const id of field.cluster.ids) {
    const disk = field.cluster.disk(id);
    disk.slowdown = 20 + random.below(200);
    field.mendAfter(100 + random.below(500), () => {
      disk.slowdown = 1;
    });
  }
}

/**
 * One sync fails at every node, and then the power does: who takes a failed sync for a success
 * loses what it has acknowledged.
 */
function failEverySync(field: Battlefield, random: SeededRandom): boolean {
  const { cluster } = field;
  const takeBack = cluster.ids.map((id) =>
    cluster.disk(id).inject({ operation: "sync", error: "io", times: 1 }),
  );
  field.mendAfter(20 + random.below(300), () => {
    for (const each of takeBack) each();
    for (const id of cluster.ids) cluster.crash(id, "power");
  });
  return true;
}

function failOnce(field: Battlefield, random: SeededRandom, operation: DiskOperation): boolean {
  const id = running(field, random);
  if (id === undefined) return false;
  if (operation === "read") field.bereft.add(id);
  const times = 1 + random.below(3);
  const takeBack = field.cluster.disk(id).inject({ operation, error: "io", times });
  field.mendAfter(2000, takeBack);
  return true;
}

function setCapacity({ cluster }: Battlefield, id: NodeId, bytes: number): void {
  const disk: SimDisk = cluster.disk(id);
  disk.capacityBytes = bytes;
}
