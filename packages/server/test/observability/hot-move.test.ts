import { type Key, utf8 } from "@coterie/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MeteredCluster } from "./metered-cluster.ts";
import { movedBetween } from "./scrape.ts";

const cluster = new MeteredCluster(2, () => ({}));
const hot = { bucket: "default", key: utf8("hot") };

beforeAll(() => cluster.start());
afterAll(() => cluster.stop());

describe("where nodes hold no copy", () => {
  const five = new MeteredCluster(5, () => ({ nMax: 3 }));
  beforeAll(() => five.start());
  afterAll(() => five.stop());

  /** A key of which the first node has no copy, and the numbers of those who have. */
  async function keyElsewhere(): Promise<{ place: Key; owners: readonly number[] }> {
    for (let number = 0; ; number += 1) {
      const place = { bucket: "default", key: utf8(`key-${number}`) };
      const explained = await five.first.node.explain(place);
      const primaries = explained?.replicas.filter(({ role }) => role === "primary") ?? [];
      const owners = primaries.map(({ node }) => Number(node.slice(1)) - 1);
      if (owners.length === 3 && !owners.includes(0)) return { place, owners };
    }
  }

  it("records that need not be sent, and reads that ask twice, move", async () => {
    const { place, owners } = await keyElsewhere();
    const [first = 0, second = 0] = owners;
    const put = async (size: number, w: number): Promise<void> => {
      const input = { value: new Uint8Array(size), contentType: "", context: undefined };
      const rest = { writeId: undefined, returnBody: false, ifAbsent: false };
      const written = await five.at(first).node.put(place, { ...input, ...rest }, { w });
      expect(written.ok).toBe(true);
    };
    await put(20_000, 3);
    const before = await five.scrape();
    await five.first.node.get(place, { r: 3 });
    const after = await five.scrape();
    expect(after.get("coterie_records_spared_total")).toBe(2);
    expect(movedBetween(before, after)).not.toContain("coterie_versions_differed_total");
    five.away.add(five.addresses[second] ?? "");
    await put(20_001, 2);
    five.away.clear();
    await five.first.node.get(place, { r: 3 });
    const last = await five.scrape();
    expect(last.get("coterie_versions_differed_total")).toBe(1);
    for (let count = 0; count < 200; count += 1) await five.first.node.get(place, { r: 3 });
    const hot = await five.scrape();
    expect(last.get("coterie_hot_copies_kept_total")).toBe(0);
    expect(hot.get("coterie_hot_copies_kept_total")).toBe(1);
    expect(hot.get("coterie_hot_copies_bytes")).toBeGreaterThan(20_000);
    for (let count = 0; count < 2; count += 1) {
      await five.first.node.get(place, { maxStaleMs: 60_000 });
    }
    expect((await five.scrape()).get("coterie_gets_stale_total")).toBe(1);
  });
});

it("gets that share reads, and the share of the key asked for most, move", async () => {
  const { node } = cluster.first;
  const before = await cluster.scrape();
  await cluster.put("hot", {});
  await cluster.put("other", {});
  await Promise.all([node.get(hot, {}), node.get(hot, {}), node.get(hot, {})]);
  const after = await cluster.scrape();
  const moved = movedBetween(before, after);
  expect(moved).toContain("coterie_hot_key_share");
  expect(moved).toContain("coterie_gets_joined_total");
  // One read was begun by the first, one by the second for itself and the third.
  expect(after.get("coterie_gets_joined_total")).toBe(1);
  expect(after.get('coterie_hot_key_share{operation="read"}')).toBeCloseTo(1, 5);
  expect(after.get('coterie_hot_key_share{operation="write"}')).toBeCloseTo(0.5, 2);
});

describe("where two nodes hold every key", () => {
  const two = new MeteredCluster(2, () => ({ nMax: 2 }));
  beforeAll(() => two.start());
  afterAll(() => two.stop());

  it("records that need not be sent, as later ones speak for them, move", async () => {
    const before = await two.scrape();
    await Promise.all(Array.from({ length: 64 }, () => two.put("contended", {})));
    const after = await two.scrape();
    expect(movedBetween(before, after)).toContain("coterie_writes_joined_total");
  });
});
