import { latin1, utf8 } from "@coterie/core";
import { expect, it } from "vitest";
import { SmallCluster, node } from "./small-cluster.ts";

const tagged = Array.from({ length: 200 }, (_, at) => `{user}:${at}`);
const others = Array.from({ length: 100 }, (_, at) => `key-${at}`);

/** A number of partitions that no slot range is a multiple of: boundaries lie within slots. */
const partitions = 7;

it("keeps, scans and explains keys by their Redis slots, also after a power cut", async () => {
  const small = await SmallCluster.start({ hash: "redis-slots", partitions });
  for (const key of [...tagged, ...others]) {
    expect(await small.put(2, key, `of ${key}`)).toMatchObject({ ok: true });
  }
  const places = [];
  for (const key of tagged.slice(0, 5)) {
    places.push((await small.explain(1, key))?.partition, (await small.explain(3, key))?.partition);
  }
  // CRC16 of "user" is slot 5474, by Redis' own CLUSTER KEYSLOT.
  expect(new Set(places)).toEqual(new Set([Math.floor((5474 * partitions) / 16_384)]));
  small.cluster.crash(node(1), "power");
  small.cluster.crash(node(2), "power");
  await small.pass(100);
  for (const number of [1, 2]) await small.restart(number);
  for (const key of [...tagged, ...others].filter((_, at) => at % 10 === 0)) {
    expect(await small.read(1, key)).toEqual([`of ${key}`]);
    expect(await small.own(2, key)).toEqual([`of ${key}`]);
  }
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const asked = { limit: 50, cursor, prefix: undefined, tombstones: false };
    const page = await small.until(small.at(3).scan("default", asked));
    if (!page.ok) throw new Error(page.message);
    seen.push(...page.items.map(({ key }) => latin1(key)));
    ({ cursor } = page);
  } while (cursor !== undefined);
  expect(seen.toSorted()).toEqual([...tagged, ...others].toSorted());
});

it("leaves the bucket out of where a key is", async () => {
  const small = await SmallCluster.start({ hash: "redis-slots", nodes: 5 });
  const partitionIn = async (bucket: string): Promise<number | undefined> =>
    (await small.until(small.at(1).explain({ bucket, key: utf8("foo") })))?.partition;
  expect(await partitionIn("redis")).toBe(Math.floor((12_182 * 8) / 16_384));
  expect(await partitionIn("default")).toBe(await partitionIn("redis"));
});
