import type { Fault } from "./fault-round.ts";
import { KvClient } from "./kv.ts";
import type { Ledger } from "./ledger.ts";
import type { Endpoint } from "./real-cluster.ts";

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

/** Keys that are written on both sides of a cut, by authors who do not know of each other. */
const conflicts = 40;
/** What is asked while a node finds out about the cut may end in vain. */
const attemptsMax = 5;

/** Two sides that both serve, since fallbacks stand in for primaries on the other one. */
export function bothSidesServe(
  one: readonly string[],
  two: readonly string[],
  ledger: Ledger,
): Fault {
  return {
    name: `${one.join(" and ")} are cut off from ${two.join(" and ")}, and both serve`,
    excused: [],
    silent: [],
    inflict: async (cluster, load) => {
      // What is under way when the network is cut may end badly, and nothing after that.
      load.excuse(...one, ...two);
      await cluster.cut([one, two]);
      const doors = cluster.endpoints.filter(({ id }) => [one[0], two[0]].includes(id));
      await writeConflicts(ledger, doors);
      load.hold(...one, ...two);
    },
    heal: (cluster) => cluster.heal(),
  };
}

/** Writes the same keys at each door; both values are to be there in the end. */
async function writeConflicts(ledger: Ledger, doors: readonly Endpoint[]): Promise<void> {
  const client = new KvClient();
  for (let at = 0; at < conflicts; at += 1) {
    for (const door of doors) await writeAt(client, ledger, door, `both-${at}`);
  }
  client.close();
}

/** Writes until a value was taken: each attempt is a write of its own. */
async function writeAt(
  client: KvClient,
  ledger: Ledger,
  { id, http }: Endpoint,
  key: string,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const value = `${key} at ${id}, ${attempt}`;
    const write = ledger.begin(key, value, []);
    const { status, body } = await client.put(http, key, value);
    if (status === 204) return ledger.settle(write, "acknowledged");
    if (attempt === attemptsMax) throw new Error(`${value}: ${status} ${body.toString()}`);
  }
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
