import { Coterie } from "@coterie/client";
import { KeyvCoterie } from "@coterie/keyv";
import keyvTestSuite, { keyvIteratorTests } from "@keyv/test-suite";
import { Keyv } from "keyv";
import * as vitest from "vitest";
import { RealCluster } from "../src/real-cluster.ts";

let cluster: RealCluster;
let coterie: Coterie;

vitest.beforeAll(async () => {
  cluster = await RealCluster.start({ arguments: ["--memory"] });
  coterie = new Coterie({ nodes: cluster.endpoints.map(({ grpc }) => grpc), timeoutMs: 20_000 });
}, 90_000);
vitest.afterAll(async () => {
  await coterie.close();
  await cluster.stop();
});

const store = (): KeyvCoterie => new KeyvCoterie(coterie.bucket("redis"));

vitest.describe("Keyv's own suite, with a bucket as its store", () => {
  keyvTestSuite(vitest, Keyv, store);
  keyvIteratorTests(vitest, Keyv, store);
});

vitest.describe("a bucket as the store of a Keyv", () => {
  vitest.it("takes more keys than one round trip has", async () => {
    const keyv = new Keyv({ store: store(), namespace: "many" });
    const entries = Array.from({ length: 600 }, (_, at) => ({ key: `k${at}`, value: at }));
    await keyv.setMany(entries);
    const keys = entries.map(({ key }) => key);
    vitest.expect(await keyv.getMany(keys)).toEqual(entries.map(({ value }) => value));
    vitest.expect(await keyv.hasMany(["k1", "no", "k599"])).toEqual([true, false, true]);
    const seen = new Map<string, number>();
    for await (const [key, value] of keyv.iterator?.({}) ?? []) seen.set(key, value);
    vitest.expect(seen.size).toBe(600);
    await keyv.clear();
    vitest.expect(await keyv.getMany(keys)).toEqual(entries.map(() => undefined));
  });

  vitest.it("lets the bucket forget what expires", async () => {
    const bucket = coterie.bucket("redis");
    const keyv = new Keyv({ store: store(), namespace: "brief" });
    await keyv.set("gone", 1, 50);
    await keyv.setMany([{ key: "many", value: 2, ttl: 50.5 }]);
    await keyv.set("kept", 3, 600_000);
    for (const key of ["brief:gone", "brief:many"]) {
      await vitest.expect.poll(async () => (await bucket.get(key)).kind).toBe("absent");
    }
    vitest.expect(await keyv.get("kept")).toBe(3);
  });

  vitest.it("reads the latest of siblings where the bucket keeps them", async () => {
    const bucket = coterie.bucket("default");
    await bucket.put("twice", "first");
    await vitest.expect
      .poll(async () => {
        await bucket.put("twice", "second");
        return new KeyvCoterie(bucket).get("twice");
      })
      .toBe("second");
    vitest.expect((await bucket.get("twice")).kind).toBe("siblings");
    vitest.expect(await new KeyvCoterie(bucket).delete("twice")).toBe(true);
  });

  vitest.it("rejects with the client's error", async () => {
    const nowhere = new KeyvCoterie(coterie.bucket("nowhere"));
    const code = { code: "no-such-bucket" };
    await vitest.expect(nowhere.get("k")).rejects.toMatchObject(code);
    await vitest.expect(nowhere.set("k", "v")).rejects.toMatchObject(code);
    await vitest.expect(nowhere.setMany([{ key: "k", value: "v" }])).rejects.toMatchObject(code);
    await vitest.expect(nowhere.delete("k")).rejects.toMatchObject(code);
    await vitest.expect(nowhere.clear()).rejects.toMatchObject(code);
  });
});
