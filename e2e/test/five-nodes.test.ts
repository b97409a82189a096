import { expect, it } from "vitest";
import { KvClient } from "../src/kv.ts";
import { RealCluster } from "../src/real-cluster.ts";

it("behaviour 32: a put lands on exactly the three nodes of the preference list", async () => {
  const cluster = await RealCluster.start({ arguments: ["--nodes", "5"] });
  const kv = new KvClient();
  try {
    const counts: number[] = [];
    for (let at = 0; at < 12; at += 1) {
      const door = cluster.doors[at % 5] ?? "";
      expect((await kv.put(door, `key-${at}`, "value")).status).toBe(204);
      const copies = async (): Promise<number> => {
        const own = cluster.doors.map((each) => kv.getReplica(each, `key-${at}`));
        const answers = await Promise.all(own);
        return answers.filter(({ values }) => values?.[0] === "value").length;
      };
      await expect.poll(copies, { timeout: 10_000 }).toBe(3);
      counts.push(await copies());
      for (const each of cluster.doors) {
        expect((await kv.get(each, `key-${at}`)).values).toEqual(["value"]);
      }
    }
    expect(new Set(counts)).toEqual(new Set([3]));
  } finally {
    kv.close();
    await cluster.stop();
  }
}, 120_000);
