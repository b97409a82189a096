import { type NodeId, Ring } from "@coterie/core";
import type { SeededRandom } from "../random.ts";
import { type Battlefield, cutApart, pick, running } from "./battlefield.ts";

/** Between two ends of processes whose clocks wear, in milliseconds. */
const wearMs = { least: 60, more: 200 };
/** After which such a process is there again. */
const backMsMax = 40;
/** After which the power fails once a round has come to its second half, at most. */
const reapMsMax = 30;

/**
 * Of what nodes ask of each other for a while, some comes a second time towards the end of the
 * clients' rest: what it tells of may have been deleted, and forgotten, long ago.
 */
export function echo(field: Battlefield, random: SeededRandom): boolean {
  const { lullMs } = field;
  const { network, world } = field.cluster;
  if (lullMs === undefined) return false;
  const end = network.remember(100 + random.below(300));
  let replay: (() => void) | undefined;
  field.mendAfter(500 + random.below(3000), () => {
    replay = end();
  });
  field.onLull(() => {
    world.schedule(Math.floor(lullMs * 0.7) + random.below(lullMs), () => replay?.());
  });
  return true;
}

/**
 * One owner of a key is cut off, and misses what is written. Meanwhile the others end again and
 * again, and are back at once: each time under another actor, so that clocks name more and more of
 * them. The one that missed it all is within reach again when clients rest.
 */
export function wear(field: Battlefield, random: SeededRandom): boolean {
  const { cluster, supervisor } = field;
  const one = running(field, random);
  const document = one === undefined ? undefined : cluster.node(one)?.document();
  const known = field.keys.filter(({ bucket: { n, w } }) => n > 1 && w < n);
  if (document === undefined || known.length === 0) return false;
  const { place, bucket } = pick(random, known);
  const ring = new Ring(document);
  const settings = ring.bucket(bucket.name);
  if (settings === undefined) return false;
  const owners = ring.plan(place, settings).primaries.map(({ id }) => id);
  // The first one is who looks for what is to be cut.
  const stale = owners[1 + random.below(owners.length - 1)] as NodeId;
  const others = owners.filter((id) => id !== stale);
  const mend = cutApart(field, [stale], random.chance(700) ? "refusing" : "silent");
  let isOver = false;
  const end = (): void => {
    isOver = true;
    mend();
  };
  const strike = (turn: number): void => {
    if (isOver || field.isOver) return;
    const id = others[turn % others.length] as NodeId;
    if (cluster.isUp(id) && !supervisor.isStarting(id)) {
      cluster.crash(id, "kill");
      cluster.world.schedule(random.below(backMsMax), () => supervisor.start(id));
    }
    const pauseMs = wearMs.least + random.below(wearMs.more);
    cluster.world.schedule(pauseMs, () => strike(turn + 1));
  };
  strike(0);
  field.onLull(end);
  field.mendAfter(30_000, end);
  return true;
}

/** Power fails at some or all nodes while a round of reaping forgets what all have confirmed. */
export function powerAtReaping(field: Battlefield, random: SeededRandom): boolean {
  const { cluster } = field;
  field.onNextReap(() => {
    cluster.world.schedule(random.below(reapMsMax), () => {
      const isTotal = random.chance(300);
      for (const id of cluster.ids) {
        if (!field.isOver && (isTotal || random.chance(500))) cluster.crash(id, "power");
      }
    });
  });
  return true;
}
