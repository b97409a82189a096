import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultProblems, faultRound } from "../src/fault-round.ts";
import { Ledger } from "../src/ledger.ts";
import { bothSidesServe, cutInHalf, cutLink, cutOff, flapping } from "../src/link-faults.ts";
import { NamespaceCluster, canMakeNamespaces } from "../src/namespace-cluster.ts";
import { fullDisk, killed, stopped, wiped } from "../src/node-faults.ts";
import { RealCluster } from "../src/real-cluster.ts";
import { mountSmallDisk } from "../src/small-disk.ts";

// In each group one after the other, on one cluster: what an earlier one left, a later one meets.

describe("three nodes", () => {
  let cluster: RealCluster;
  const ledger = new Ledger();
  beforeAll(async () => {
    cluster = await RealCluster.start();
  }, 90_000);
  afterAll(() => cluster.stop());

  it.each([
    killed("n1"),
    stopped("n2"),
    cutLink("n1", "n3", false),
    cutLink("n3", "n1", true),
    cutOff("n2"),
    flapping("n1", 4),
    wiped("n3"),
    killed("n1", "n2", "n3"),
  ])("$name: nothing is lost, nothing returns, the others serve", async (fault) => {
    expect(faultProblems(await faultRound(cluster, ledger, fault))).toEqual([]);
  });
});

it("five nodes cut in two: nothing is lost, nothing returns, the larger side serves", async () => {
  const cluster = await RealCluster.start({ arguments: ["--nodes", "5", "--n", "5"] });
  try {
    const fault = cutInHalf(["n1", "n4"], ["n2", "n3", "n5"]);
    expect(faultProblems(await faultRound(cluster, new Ledger(), fault))).toEqual([]);
  } finally {
    await cluster.stop();
  }
});

it("five nodes cut in two, three copies: both sides serve, and nothing is lost", async () => {
  const directory = mkdtempSync(join(tmpdir(), "coterie-both-"));
  const config = join(directory, "patient.json");
  // Five processes and their clients on few processors: whether all serve is asked, not how fast.
  writeFileSync(config, JSON.stringify({ timeoutMs: 10_000 }));
  const cluster = await RealCluster.start({ arguments: ["--nodes", "5", "--config", config] });
  const ledger = new Ledger();
  try {
    const fault = bothSidesServe(["n1", "n4"], ["n2", "n3", "n5"], ledger);
    expect(faultProblems(await faultRound(cluster, ledger, fault))).toEqual([]);
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true });
  }
});

it("a full disk: nothing is lost, nothing returns, the others serve", async ({ skip }) => {
  const directory = mkdtempSync(join(tmpdir(), "coterie-small-"));
  const disk = mountSmallDisk(join(directory, "n1"), 64);
  skip(disk === undefined, "for want of a small file system");
  const config = join(directory, "small.json");
  const mebibyte = 1 << 20;
  const sizes = { segmentBytes: 4 * mebibyte, reserveBytes: 8 * mebibyte };
  writeFileSync(config, JSON.stringify({ partitions: 64, nMax: 3, ...sizes }));
  const cluster = await RealCluster.start({ directory, arguments: ["--config", config] });
  try {
    expect(faultProblems(await faultRound(cluster, new Ledger(), fullDisk("n1")))).toEqual([]);
  } finally {
    await cluster.stop({ keepData: true });
    disk?.unmount();
    rmSync(directory, { recursive: true });
  }
});

const canCut = canMakeNamespaces();

describe.runIf(canCut)("three nodes in network namespaces", () => {
  let cluster: NamespaceCluster;
  const ledger = new Ledger();
  beforeAll(async () => {
    cluster = await NamespaceCluster.start(3);
  }, 90_000);
  afterAll(() => cluster.stop());

  it.each([cutLink("n1", "n2", true), cutLink("n2", "n3", false), cutOff("n3"), flapping("n1", 3)])(
    "$name: nothing is lost, nothing returns, the others serve",
    async (fault) => {
      expect(faultProblems(await faultRound(cluster, ledger, fault))).toEqual([]);
    },
  );
});
