import type { NodeId } from "@coterie/core";
import type { SeededRandom } from "../random.ts";
import { type Battlefield, cutApart, running } from "./battlefield.ts";
import { rottableSegments } from "./rottable-segments.ts";

/** How a node loses copies while its process ends, or once it runs again. */
interface Loss {
  readonly whenDown?: (field: Battlefield, id: NodeId) => void;
  readonly whenUp?: (field: Battlefield, id: NodeId, random: SeededRandom) => void;
}

/** It comes back with an empty disk. */
export const wiped: Loss = {
  whenDown: ({ cluster }, id) => {
    cluster.replaceDisk(id, new Map());
  },
};

/** Nothing is in its cache yet, and its disk cannot be read for a while. */
export const readsFail: Loss = {
  whenUp: (field, id, random) => {
    field.bereft.add(id);
    const times = 1 + random.below(20);
    const takeBack = field.cluster.disk(id).inject({ operation: "read", error: "io", times });
    field.mendAfter(2000, takeBack);
  },
};

/** Bytes of a segment in which one bit flips: that is every few records. */
const rotBytes = 500;

/** All that it had written before has rotted. */
export const segmentsRot: Loss = {
  whenUp: (field, id, random) => {
    const disk = field.cluster.disk(id);
    field.bereft.add(id);
    // The process has written to the last one since: damage before that is no torn end.
    for (const [name, { length }] of rottableSegments(disk.image(), { spared: 1 })) {
      for (let hits = length / rotBytes; hits > 0; hits -= 1) {
        disk.flipBit(name, random.below(length), random.below(8));
      }
    }
  },
};

/** How often it is looked whether a node runs again, and for how long. */
const lookMs = 10;
const awayMsMax = 8000;

/**
 * One node is cut off from all others, and misses what is written; meanwhile another one ends, and
 * has lost copies when it runs again. Then the links change sides: these two reach each other, and
 * nobody else. Reads that ask both may say that they do not know; who takes what is lost for what
 * never was tells what had been replaced.
 */
export function loseBesideStale(field: Battlefield, random: SeededRandom, loss: Loss): boolean {
  const { cluster, supervisor } = field;
  const bereft = running(field, random);
  const others = cluster.ids.filter((id) => id !== bereft);
  const stale = others[random.below(others.length)];
  if (bereft === undefined || stale === undefined) return false;
  const kind = random.chance(500) ? "silent" : "refusing";
  const mend = cutApart(field, [stale], kind);
  const changeSides = (): void => {
    mend();
    loss.whenUp?.(field, bereft, random);
    field.mendAfter(300 + random.below(2500), cutApart(field, [stale, bereft], kind));
  };
  const look = (leftMs: number): void => {
    if (field.isOver) return;
    const isRunning = cluster.isUp(bereft) && !supervisor.isStarting(bereft);
    if (isRunning) changeSides();
    else if (leftMs <= 0) mend();
    else cluster.world.schedule(lookMs, () => look(leftMs - lookMs));
  };
  cluster.world.schedule(300 + random.below(1500), () => {
    if (field.isOver) return;
    cluster.crash(bereft, "kill");
    loss.whenDown?.(field, bereft);
    look(awayMsMax);
  });
  return true;
}
