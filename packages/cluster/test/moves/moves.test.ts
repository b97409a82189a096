import { Ring } from "@coterie/core";
import { expect, it } from "vitest";
import { SmallCluster, node } from "../small-cluster.ts";
import { change, fill, offer, settle } from "./small-moves.ts";

const keys = 40;

/** Every key is held by its owners and by nobody else. */
async function expectWhole(small: SmallCluster, numbers: readonly number[]): Promise<void> {
  await small.pass(2000);
  for (let key = 0; key < keys; key += 1) {
    const { owners } = small.owners(`k${key}`);
    for (const number of numbers) {
      const expected = owners.includes(number) ? [`v${key}`] : "absent";
      expect([number, key, await small.own(number, `k${key}`)]).toEqual([number, key, expected]);
    }
  }
}

it("a newcomer gets its share of all there is, and the others drop what it took", async () => {
  const small = await SmallCluster.start();
  await fill(small, 1, keys);
  await offer(small, 4);
  await change(small, 1, { join: [node(4)] });
  await settle(small, 1);
  const document = small.at(4).document();
  expect(document?.members.map(({ id }) => id)).toEqual(["n1", "n2", "n3", "n4"]);
  if (document === undefined) throw new Error("no document");
  expect(new Ring(document).partitionsOf(node(4)).length).toBe(6);
  await expectWhole(small, [1, 2, 3, 4]);
  // Not once from each owner.
  const gained = Array.from({ length: keys }, (_, key) => small.owners(`k${key}`).owners);
  const own = gained.filter((owners) => owners.includes(4)).length;
  expect(small.at(4).moves()?.counts.keys).toBe(own);
  for (const number of [1, 2, 3, 4]) expect(await small.read(number, "k7")).toEqual(["v7"]);
});

it("a member that leaves hands over what it has, and is none any more", async () => {
  const small = await SmallCluster.start({ nodes: 4 });
  await fill(small, 1, keys);
  await change(small, 1, { leave: [node(4)] });
  await settle(small, 1);
  await small.pass(1000);
  expect(
    small
      .at(1)
      .document()
      ?.members.map(({ id }) => id),
  ).toEqual(["n1", "n2", "n3"]);
  await expectWhole(small, [1, 2, 3]);
});

it("a member that leaves and has nothing to hand over is none any more either", async () => {
  const small = await SmallCluster.start({ nodes: 4, partitions: 1 });
  await fill(small, 1, 4);
  const [owners = []] = small.at(1).document()?.owners ?? [];
  const [idle, ...others] = [1, 2, 3, 4].toSorted(
    (left, right) => Number(owners.includes(left - 1)) - Number(owners.includes(right - 1)),
  ) as [number, number, number, number];
  await change(small, others[0], { leave: [node(idle)] });
  await small.pass(2000);
  const { members = [] } = small.at(others[0]).document() ?? {};
  expect(members.map(({ id }) => id)).toEqual(others.map(node));
});
