import { afterAll, beforeAll, expect, it } from "vitest";
import { faultProblems, faultRound } from "../src/fault-round.ts";
import { Ledger } from "../src/ledger.ts";
import { cutLink, cutOff, flapping } from "../src/link-faults.ts";
import { RealCluster } from "../src/real-cluster.ts";

let cluster: RealCluster;
const ledger = new Ledger();

beforeAll(async () => {
  cluster = await RealCluster.start();
}, 90_000);
afterAll(() => cluster.stop());

// One after the other, on one cluster: what an earlier one left behind, a later one meets.
it.each([cutLink("n2", "n3", true), cutOff("n1"), flapping("n3", 1)])(
  "$name: nothing is lost, nothing returns, the others serve",
  { timeout: 120_000 },
  async (fault) => {
    const report = await faultRound(cluster, ledger, fault);
    expect(faultProblems(report)).toEqual([]);
    expect(report.verification.acknowledged).toBe(ledger.acknowledged);
  },
);
