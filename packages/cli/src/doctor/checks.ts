import { limits } from "@coterie/core";
import { quantile } from "../metrics/node-metrics.ts";
import { byteText, durationText } from "../table.ts";
import type { NodeFacts, SilentNode } from "./node-facts.ts";

/** One line of `coterie doctor`. */
export interface Finding {
  readonly level: "ok" | "warn" | "fail";
  /** What was looked at. */
  readonly check: string;
  /** Whose; empty if it is the cluster's. */
  readonly node: string;
  readonly detail: string;
  /** What to do; empty if there is nothing. */
  readonly next: string;
}

type Judged = Pick<Finding, "level" | "detail"> & { readonly next?: string };

/** Copies are compared every minute, unless that was configured otherwise. */
const comparedSecondsMax = 3600;

const ok = (detail: string): Judged => ({ level: "ok", detail });
const warn = (detail: string, next: string): Judged => ({ level: "warn", detail, next });
const fail = (detail: string, next: string): Judged => ({ level: "fail", detail, next });

/** Looked at for each node by itself. `undefined`: the node does not say. */
const nodeChecks: Readonly<Record<string, (facts: NodeFacts) => Judged | undefined>> = {
  serving: ({ missing }) =>
    missing.length === 0
      ? ok("serves")
      : fail(`waits for: ${missing.join("; ")}`, "start what it waits for, or see its log"),
  peers: ({ metrics }) => {
    const away = metrics
      .samples("coterie_peer_reachable")
      .filter(({ value }) => value === 0)
      .map(({ labels }) => labels["peer"]);
    if (away.length === 0) return ok("reaches all peers");
    const next = "see whether those nodes run, and whether their peer addresses can be reached";
    return fail(`has no stream to ${away.join(", ")}`, next);
  },
  "disk space": ({ metrics }) => {
    if (metrics.value("coterie_store_disk_full") === 1) {
      return fail("its disk is full: puts are refused", "free some space; it goes on by itself");
    }
    const available = metrics.value("coterie_disk_available_bytes");
    const total = metrics.value("coterie_disk_total_bytes");
    if (available === undefined || total === undefined) return undefined;
    const share = available / total;
    const detail = `${byteText(available)} free, ${Math.round(share * 100)} %`;
    if (share < 0.03) return fail(detail, "free some space, or puts will be refused");
    return share < 0.1 ? warn(detail, "free some space, or move to a larger disk") : ok(detail);
  },
  "data on": ({ metrics }) => {
    const labels = metrics.samples("coterie_data_info")[0]?.labels;
    if (labels === undefined) return undefined;
    const { filesystem = "", durability = "" } = labels;
    if (["memory", "tmpfs", "ramfs"].includes(filesystem)) {
      return warn(`${filesystem}: gone with the machine's power`, "give a directory on a disk");
    }
    if (["nfs", "fuse"].includes(filesystem)) {
      return warn(`${filesystem}: its syncs may promise too much`, "give a directory on a disk");
    }
    return durability === "os"
      ? warn(`${filesystem}, not synced`, "durability fsync, unless losing data is all right")
      : ok(filesystem);
  },
  fsync: ({ metrics }) => {
    const times = metrics.buckets(/^coterie_store_fsync_seconds$/u);
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
    if (p50 === undefined || p99 === undefined) return ok("none yet");
    const detail = `p50 ${ms(p50)}, p99 ${ms(p99)} since its start`;
    const next = "a faster disk, or one that fewer share: every write waits for its sync";
    return p99 > 0.1 || p50 > 0.02 ? warn(detail, next) : ok(detail);
  },
  "event loop": ({ metrics }) => {
    const p99 = metrics.value("coterie_event_loop_delay_p99_seconds");
    const max = metrics.value("coterie_event_loop_delay_max_seconds");
    if (p99 === undefined || max === undefined) return undefined;
    const detail = `p99 ${ms(p99)} late, at most ${ms(max)}`;
    return p99 > 0.1 || max > 1 ? warn(detail, "less load, or more processor for it") : ok(detail);
  },
  "open files": ({ metrics }) => {
    const open = metrics.value("coterie_process_open_files");
    const most = metrics.value("coterie_process_open_files_max");
    if (open === undefined || most === undefined) return undefined;
    const detail = `${open} of ${most}`;
    if (open > most * 0.8) return fail(detail, "raise the limit: ulimit -n 65536");
    return most < 4096 ? warn(detail, "raise the limit: ulimit -n 65536") : ok(detail);
  },
  siblings: ({ metrics }) => {
    const most = metrics.value("coterie_siblings_max");
    if (most === undefined) return undefined;
    const detail = `at most ${most} of one key, since its start`;
    const next = "coterie find --siblings 2 lists the keys; see that their writers send contexts";
    return most >= limits.siblingsPerKeyWarn ? warn(detail, next) : ok(detail);
  },
  copies: ({ metrics }) => {
    const lag = metrics.value("coterie_anti_entropy_lag_seconds");
    if (lag === undefined) return undefined;
    const detail = `compared with all other owners' within ${durationText(lag * 1000)}`;
    const next = "coterie status names with whom, and why; coterie repair compares them now";
    return lag > comparedSecondsMax ? warn(detail, next) : ok(detail);
  },
  damage: ({ metrics }) => {
    const damaged = metrics.value("coterie_store_damaged_records_total");
    if (damaged === undefined) return undefined;
    if (damaged === 0) return ok("none found");
    return warn(`${damaged} records, refilled from replicas`, "check its disk; see its log");
  },
  refill: ({ metrics }) => {
    const refilling = metrics.value("coterie_refilling");
    if (refilling === undefined) return undefined;
    if (refilling === 0) return ok("lacks nothing");
    const detail = "asks the others for what it has lost: until then its copies do not count";
    return warn(detail, "see that all others serve: it has to hear from every one of them");
  },
};

/** Everything that is looked at, in the order in which it is printed. */
export function findings(nodes: readonly (NodeFacts | SilentNode)[]): readonly Finding[] {
  const answering = nodes.filter((node): node is NodeFacts => "metrics" in node);
  return [
    ...nodes.map((node) => reached(node)),
    ...clusterFindings(answering),
    ...answering.flatMap((facts) =>
      Object.entries(nodeChecks).flatMap(([check, judge]) => {
        const judged = judge(facts);
        return judged === undefined ? [] : [finding(check, facts.id, judged)];
      }),
    ),
  ];
}

function reached(node: NodeFacts | SilentNode): Finding {
  const next = "start it, or see whether its HTTP address can be reached from here";
  const judged = "metrics" in node ? ok("answers") : fail(node.reason, next);
  return finding("reachable", node.id, judged);
}

function clusterFindings(nodes: readonly NodeFacts[]): readonly Finding[] {
  if (nodes.length === 0) return [];
  return [
    finding("document", "", sameDocument(nodes)),
    finding("clocks", "", closeClocks(nodes)),
    finding("versions", "", sameVersions(nodes)),
  ];
}

function sameDocument(nodes: readonly NodeFacts[]): Judged {
  const known = nodes.flatMap(({ id, cluster }) =>
    cluster === undefined ? [] : [{ id, cluster }],
  );
  const digests = new Set(known.map(({ cluster }) => `${cluster.clusterId} ${cluster.digest}`));
  if (digests.size <= 1) return ok("all nodes go by the same one");
  const each = known.map(({ id, cluster }) => `${id} ${cluster.digest.slice(0, 8)}`).join(", ");
  return fail(each, "these nodes are of different clusters: see their data directories");
}

function closeClocks(nodes: readonly NodeFacts[]): Judged {
  const ahead = nodes.toSorted((left, right) => left.clockAheadMs - right.clockAheadMs);
  const [slow, fast] = [ahead[0], ahead.at(-1)] as [NodeFacts, NodeFacts];
  const doubtMs = Math.ceil((slow.roundTripMs + fast.roundTripMs) / 2);
  const skewMs = Math.max(0, Math.round(fast.clockAheadMs - slow.clockAheadMs));
  const detail = `${skewMs} ms apart, give or take ${doubtMs} ms`;
  if (skewMs - doubtMs > limits.clockSkewMsMax) {
    const next = "set their clocks: writes to lww buckets are refused under such a skew";
    return fail(`${detail}: ${fast.id} is ahead of ${slow.id}`, next);
  }
  return skewMs - doubtMs > 1000
    ? warn(`${detail}: ${fast.id} is ahead of ${slow.id}`, "let NTP keep their clocks")
    : ok(detail);
}

function sameVersions(nodes: readonly NodeFacts[]): Judged {
  const versions = new Map<string, string[]>();
  for (const { id, metrics } of nodes) {
    const labels = metrics.samples("coterie_build_info")[0]?.labels ?? {};
    const text = `Coterie ${labels["version"] ?? "?"} on Node ${labels["node"] ?? "?"}`;
    versions.set(text, [...(versions.get(text) ?? []), id]);
  }
  const [only] = versions.keys();
  if (versions.size === 1) return ok(only ?? "");
  const each = [...versions].map(([text, ids]) => `${text}: ${ids.join(", ")}`).join("; ");
  return warn(each, "let all nodes run the same");
}

function finding(check: string, node: string, { level, detail, next = "" }: Judged): Finding {
  return { level, check, node, detail, next };
}

function ms(seconds: number): string {
  const value = seconds * 1000;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
