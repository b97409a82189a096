import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { KvClient } from "../src/kv.ts";
import { Ledger } from "../src/ledger.ts";
import { RealCluster } from "../src/real-cluster.ts";
import { verify } from "../src/verify.ts";

it("finds every write lost when the directories of all nodes are emptied", async () => {
  const kv = new KvClient();
  const ledger = new Ledger();
  const before = await RealCluster.start();
  const { directory } = before;
  for (const [at, door] of before.doors.entries()) {
    const write = ledger.begin(`key-${at}`, `value-${at}`, []);
    expect((await kv.put(door, write.key, `value-${at}`)).status).toBe(204);
    ledger.settle(write, "acknowledged");
  }
  const whole = await verify(before.endpoints, ledger);
  expect(whole).toMatchObject({ keys: 3, lost: 0, corrupt: 0, resurrected: 0, unreadable: 0 });
  await before.stop({ keepData: true });
  for (const { id } of before.endpoints) rmSync(join(directory, id), { recursive: true });

  const after = await RealCluster.start({ directory });
  try {
    // Through each of three nodes, and in each of three copies, of three keys.
    expect(await verify(after.endpoints, ledger, 100)).toMatchObject({ lost: 18 });
  } finally {
    kv.close();
    await after.stop();
  }
}, 120_000);
