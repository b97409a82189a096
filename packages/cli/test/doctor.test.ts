import { describe, expect, it } from "vitest";
import { findings } from "../src/doctor/checks.ts";
import type { NodeFacts } from "../src/doctor/node-facts.ts";
import { NodeMetrics } from "../src/metrics/node-metrics.ts";

const healthy: Readonly<Record<string, number>> = {
  'coterie_peer_reachable{peer="n2"}': 1,
  coterie_store_disk_full: 0,
  coterie_disk_available_bytes: 50e9,
  coterie_disk_total_bytes: 100e9,
  'coterie_data_info{filesystem="ext4",durability="fsync"}': 1,
  'coterie_store_fsync_seconds_bucket{le="0.01"}': 100,
  'coterie_store_fsync_seconds_bucket{le="1"}': 100,
  'coterie_store_fsync_seconds_bucket{le="+Inf"}': 100,
  coterie_event_loop_delay_p99_seconds: 0.01,
  coterie_event_loop_delay_max_seconds: 0.02,
  coterie_process_open_files: 30,
  coterie_process_open_files_max: 65536,
  coterie_siblings_max: 1,
  coterie_store_damaged_records_total: 0,
  coterie_anti_entropy_lag_seconds: 70,
  'coterie_build_info{version="0.1.0",node="20.20.2"}': 1,
};

function node(
  id: string,
  changed: Readonly<Record<string, number | undefined>> = {},
  facts: Partial<NodeFacts> = {},
): NodeFacts {
  const lines = Object.entries({ ...healthy, ...changed })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`);
  return {
    id,
    missing: [],
    cluster: { clusterId: "c", digest: "d" },
    metrics: NodeMetrics.parse(lines.join("\n")),
    clockAheadMs: 3,
    roundTripMs: 2,
    ...facts,
  };
}

/** Lines that are not ok, as "level node check". */
function complaints(...nodes: Parameters<typeof findings>[0]): readonly string[] {
  return findings(nodes)
    .filter(({ level }) => level !== "ok")
    .map(({ level, node: whose, check, detail, next }) => {
      expect(next).not.toBe("");
      return `${level} ${whose || "-"} ${check}: ${detail}`;
    });
}

describe("doctor", () => {
  it("finds nothing wrong with a healthy cluster", () => {
    const found = findings([node("n1"), node("n2")]);
    expect(found.filter(({ level }) => level !== "ok")).toEqual([]);
    expect(found.length).toBe(2 + 3 + 2 * 10);
  });

  it("leaves out what a node does not say", () => {
    const nothing = Object.fromEntries(Object.keys(healthy).map((name) => [name, undefined]));
    expect(complaints(node("n1", nothing))).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, number | undefined>>, string]>([
    ["a peer away", { 'coterie_peer_reachable{peer="n2"}': 0 }, "fail n1 peers: .* n2"],
    ["a full disk", { coterie_store_disk_full: 1 }, "fail n1 disk space: .*full"],
    ["a filling disk", { coterie_disk_available_bytes: 5e9 }, "warn n1 disk space: .*5 %"],
    ["an almost full disk", { coterie_disk_available_bytes: 1e9 }, "fail n1 disk space: .*1 %"],
    [
      "a memory file system",
      {
        'coterie_data_info{filesystem="ext4",durability="fsync"}': undefined,
        'coterie_data_info{filesystem="tmpfs",durability="fsync"}': 1,
      },
      "warn n1 data on: tmpfs",
    ],
    [
      "a network file system",
      {
        'coterie_data_info{filesystem="ext4",durability="fsync"}': undefined,
        'coterie_data_info{filesystem="nfs",durability="fsync"}': 1,
      },
      "warn n1 data on: nfs",
    ],
    [
      "data that is not synced",
      {
        'coterie_data_info{filesystem="ext4",durability="fsync"}': undefined,
        'coterie_data_info{filesystem="ext4",durability="os"}': 1,
      },
      "warn n1 data on: ext4, not synced",
    ],
    [
      "slow syncs",
      { 'coterie_store_fsync_seconds_bucket{le="0.01"}': 90 },
      "warn n1 fsync: .*p99 9\\d\\d ms",
    ],
    ["a late event loop", { coterie_event_loop_delay_max_seconds: 2 }, "warn n1 event loop: "],
    ["few files", { coterie_process_open_files_max: 1024 }, "warn n1 open files: 30 of 1024"],
    ["hardly any files left", { coterie_process_open_files: 60_000 }, "fail n1 open files: "],
    ["copies not compared", { coterie_anti_entropy_lag_seconds: 4000 }, "warn n1 copies: .*1 h 6"],
    ["many siblings", { coterie_siblings_max: 30 }, "warn n1 siblings: at most 30"],
    ["damage", { coterie_store_damaged_records_total: 2 }, "warn n1 damage: 2 records"],
  ])("finds %s", (_, changed, complaint) => {
    expect(complaints(node("n1", changed))).toEqual([
      expect.stringMatching(new RegExp(`^${complaint}`, "u")),
    ]);
  });

  it("finds nodes that do not answer, and nodes that wait", () => {
    const waiting = node("n1", {}, { missing: ["no answer from n3"], cluster: undefined });
    expect(complaints(waiting, { id: "n2", reason: "refused" })).toEqual([
      "fail n2 reachable: refused",
      "fail n1 serving: waits for: no answer from n3",
    ]);
    expect(complaints({ id: "n2", reason: "refused" })).toHaveLength(1);
  });

  it("finds nodes of another cluster", () => {
    const other = node("n2", {}, { cluster: { clusterId: "c", digest: "e" } });
    expect(complaints(node("n1"), other)).toEqual(["fail - document: n1 d, n2 e"]);
  });

  it.each([
    [500, []],
    [5000, ["warn - clocks: 4997 ms apart, give or take 2 ms: n2 is ahead of n1"]],
    [90_000, [expect.stringMatching(/^fail - clocks: .*n2 is ahead of n1/u)]],
  ])("finds clocks %d ms apart", (clockAheadMs, expected) => {
    expect(complaints(node("n1"), node("n2", {}, { clockAheadMs }))).toEqual(expected);
  });

  it("does not blame clocks for a slow answer", () => {
    const slow = node("n2", {}, { clockAheadMs: 1500, roundTripMs: 2000 });
    expect(complaints(node("n1"), slow)).toEqual([]);
  });

  it("finds nodes of several versions", () => {
    const newer = node("n2", {
      'coterie_build_info{version="0.1.0",node="20.20.2"}': undefined,
      'coterie_build_info{version="0.2.0",node="20.20.2"}': 1,
    });
    expect(complaints(node("n1"), newer)).toEqual([
      expect.stringMatching(/^warn - versions: .*0\.1\.0.*n1; .*0\.2\.0.*n2/u),
    ]);
  });
});
