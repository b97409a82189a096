import type { Fault } from "./fault-round.ts";

/** Writes acknowledged in each state of a link that flaps. */
const writesBetween = 200;

/** A node is cut off from all others: it cannot serve, and they can. */
export function cutOff(id: string): Fault {
  return {
    name: `${id} is cut off`,
    excused: [id],
    silent: [],
    inflict: (cluster) => cluster.cut([[id]]),
    heal: (cluster) => cluster.heal(),
  };
}

/** Two sides: those on the first one are too few to serve. */
export function cutInHalf(few: readonly string[], many: readonly string[]): Fault {
  return {
    name: `${few.join(" and ")} are cut off from ${many.join(" and ")}`,
    excused: few,
    silent: [],
    inflict: (cluster) => cluster.cut([few, many]),
    heal: (cluster) => cluster.heal(),
  };
}

/** One link is cut, both ways or one: everybody reaches a quorum still. */
export function cutLink(from: string, to: string, isOneWay: boolean): Fault {
  return {
    name: isOneWay ? `what ${from} sends to ${to} is lost` : `${from} and ${to} are cut`,
    excused: [],
    silent: [],
    inflict: (cluster) => cluster.cut([[from], [to]], { isOneWay }),
    heal: (cluster) => cluster.heal(),
  };
}

/** A node is cut off and reached again, several times. */
export function flapping(id: string, times: number): Fault {
  return {
    name: `${id} flaps`,
    excused: [id],
    silent: [],
    inflict: async (cluster, load) => {
      for (let time = 0; time < times; time += 1) {
        await cluster.cut([[id]]);
        await load.untilAcknowledged(writesBetween);
        await cluster.heal();
        await load.untilAcknowledged(writesBetween);
      }
    },
    heal: () => Promise.resolve(),
  };
}
