import { type NodeId, Ring } from "@coterie/core";
import type { SeededRandom } from "../random.ts";
import { type Battlefield, cutApart, pick, running } from "./battlefield.ts";

/**
 * A few nodes are cut off from all owners of a key: enough to take writes of it, and too few to
 * stand in for each of the owners. In the moment in which they have taken one their power fails,
 * and the owners are within reach again. What these guests held for one of them comes to all.
 */
export function guestsDie(field: Battlefield, random: SeededRandom): boolean {
  const { cluster } = field;
  const one = running(field, random);
  const document = one === undefined ? undefined : cluster.node(one)?.document();
  if (document === undefined) return false;
  const known = field.keys.filter(({ bucket: { n, w } }) => w < n && n + w <= cluster.ids.length);
  if (known.length === 0) return false;
  const { place, bucket } = pick(random, known);
  const ring = new Ring(document);
  const settings = ring.bucket(bucket.name);
  if (settings === undefined) return false;
  const owners = ring.plan(place, settings).primaries.map(({ id }) => id);
  const left = cluster.ids.filter((id) => !owners.includes(id));
  const guests: NodeId[] = [];
  const count = Math.max(bucket.w, random.below(owners.length));
  while (guests.length < count && left.length > 0) {
    guests.push(...left.splice(random.below(left.length), 1));
  }
  const mend = cutApart(field, guests, random.chance(700) ? "refusing" : "silent");
  field.mendAfter(2000 + random.below(8000), mend);
  field.onNextGuestAck(() => {
    mend();
    for (const id of guests) cluster.crash(id, "power");
  });
  return true;
}
