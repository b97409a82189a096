import { latin1, utf8 } from "@coterie/core";
import { describe, expect, it } from "vitest";
import type { ScanOptions } from "../src/index.ts";
import { SmallCluster, successful } from "./small-cluster.ts";

const keys: readonly string[] = Array.from({ length: 200 }, (_, index) => `key-${index}`);

async function filled(): Promise<SmallCluster> {
  const small = await SmallCluster.start({ partitions: 5 });
  const begun = keys.map((key, index) => small.begin((index % 3) + 1, key, `value of ${key}`));
  for (const put of begun) successful(await small.until(put));
  return small;
}

/** All pages of a scan, one after the other. */
async function scanAll(
  small: SmallCluster,
  at: number,
  options: Partial<ScanOptions> = {},
): Promise<{ readonly names: readonly string[]; readonly pages: number }> {
  const names: string[] = [];
  let cursor: string | undefined;
  for (let pages = 1; ; pages += 1) {
    const asked = { limit: 30, cursor, prefix: undefined, tombstones: false, ...options };
    const page = successful(await small.until(small.at(at).scan("default", { ...asked, cursor })));
    names.push(...page.items.map(({ key }) => latin1(key)));
    if (page.cursor === undefined) return { names, pages };
    ({ cursor } = page);
  }
}

describe("a scan", () => {
  it.each([[[]], [[2]], [[3]]])("returns each key once while %o are down", async (down) => {
    const small = await filled();
    small.crash(...down);
    const { names, pages } = await scanAll(small, 1);
    expect(names.toSorted()).toEqual(keys.toSorted());
    expect(pages).toBeGreaterThan(3);
  });

  it("returns every key while a node is silent", async () => {
    const small = await filled();
    small.cluster.network.partition(["n2"] as never, ["n1", "n3"] as never);
    expect((await scanAll(small, 1)).names.toSorted()).toEqual(keys.toSorted());
  });

  it("makes progress through many partitions though each waits for a silent node", async () => {
    const small = await SmallCluster.start({ partitions: 64 });
    for (const key of keys.slice(0, 20)) successful(await small.put(1, key, "v", { w: 3 }));
    small.cluster.network.partition(["n2"] as never, ["n1", "n3"] as never);
    const { names } = await scanAll(small, 1, { limit: 1000 });
    expect(names.toSorted()).toEqual(keys.slice(0, 20).toSorted());
  });

  it("goes on at another node when its own has died", async () => {
    const small = await filled();
    const asked = { limit: 100, cursor: undefined, prefix: undefined, tombstones: false };
    const first = successful(await small.until(small.at(1).scan("default", asked)));
    small.crash(1);
    const rest: string[] = [];
    for (let { cursor } = first; cursor !== undefined;) {
      const page = successful(await small.until(small.at(2).scan("default", { ...asked, cursor })));
      rest.push(...page.items.map(({ key }) => latin1(key)));
      ({ cursor } = page);
    }
    const names = [...first.items.map(({ key }) => latin1(key)), ...rest];
    expect(names.toSorted()).toEqual(keys.toSorted());
  });

  it("leaves deleted keys out, or returns them when asked to", async () => {
    const small = await filled();
    const gone = keys.slice(0, 60);
    for (const key of gone) successful(await small.delete(2, key));
    const { names } = await scanAll(small, 3);
    expect(names.toSorted()).toEqual(keys.slice(60).toSorted());
    const all = await scanAll(small, 3, { tombstones: true });
    expect(all.names.toSorted()).toEqual(keys.toSorted());
  });

  it("meets a key that one replica knows as deleted, and others as written again", async () => {
    const small = await SmallCluster.start();
    successful(await small.put(1, "k", "old", { w: 3 }));
    successful(await small.delete(1, "k", { w: 3 }));
    small.cluster.network.partition(["n1"] as never, ["n2", "n3"] as never);
    successful(await small.put(2, "k", "new"));
    expect(await small.own(1, "k")).toEqual([]);
    small.cluster.network.heal();
    small.crash(3);
    for (const at of [1, 2]) expect((await scanAll(small, at)).names).toEqual(["k"]);
  });

  it("looks nothing up of what was deleted", async () => {
    const small = await filled();
    for (const key of keys.slice(1)) successful(await small.delete(2, key, { w: 3 }));
    for (const at of [1, 2, 3]) small.crash(at);
    for (const at of [1, 2, 3]) await small.restart(at);
    const asked = { limit: 10_000, cursor: undefined, prefix: undefined, tombstones: false };
    const beganMs = small.world.nowMs;
    const page = successful(await small.until(small.at(1).scan("default", asked)));
    expect(page.items.map(({ key }) => latin1(key))).toEqual([keys[0]]);
    const spentMs = small.world.nowMs - beganMs;
    const all = await small.until(small.at(1).scan("default", { ...asked, tombstones: true }));
    expect(successful(all).items).toHaveLength(keys.length);
    expect(spentMs).toBeLessThan((small.world.nowMs - beganMs - spentMs) / 2);
  });

  it("returns keys of a prefix, with contexts that delete", async () => {
    const small = await filled();
    const asked = { limit: 1000, cursor: undefined, prefix: utf8("key-19"), tombstones: false };
    const page = successful(await small.until(small.at(1).scan("default", asked)));
    expect(page.items.length).toBe(11);
    for (const { key, context, siblings, bytes } of page.items) {
      expect([siblings, bytes]).toEqual([1, `value of ${latin1(key)}`.length]);
      successful(await small.delete(2, latin1(key), { context }));
    }
    expect((await scanAll(small, 1, { prefix: utf8("key-19") })).names).toEqual([]);
  });

  it("is refused when too few replicas are up, or when it is malformed", async () => {
    const small = await filled();
    const asked = { limit: 10, cursor: undefined, prefix: undefined, tombstones: false };
    const scan = (bucket: string, changed: Partial<ScanOptions>): Promise<unknown> =>
      small.until(small.at(1).scan(bucket, { ...asked, ...changed }));
    expect(await scan("nowhere", {})).toMatchObject({ code: "no-such-bucket" });
    expect(await scan("default", { limit: 0 })).toMatchObject({ code: "bad-request" });
    expect(await scan("default", { limit: 10_001 })).toMatchObject({ code: "bad-request" });
    expect(await scan("default", { cursor: "xyz" })).toMatchObject({ code: "bad-request" });
    small.crash(2, 3);
    await small.pass(10);
    expect(await scan("default", {})).toMatchObject({ ok: false, outcome: "refused" });
  });
});
