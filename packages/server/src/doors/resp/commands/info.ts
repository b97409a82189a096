import { arch, platform, release } from "node:os";
import { portOf } from "../../../config/addresses.ts";
import { version } from "../../../version.ts";
import { redisVersion } from "../redis-version.ts";
import { writerRole } from "../redis-words.ts";
import type { RespService } from "../resp-service.ts";
import { optionOf } from "../words.ts";

type Facts = Readonly<Record<string, string | number>>;
type Section = (service: RespService) => Facts | Promise<Facts>;

const sections: readonly (readonly [string, Section])[] = [
  ["Server", server],
  ["Clients", clients],
  ["Memory", memory],
  ["Persistence", persistence],
  ["Stats", stats],
  [
    "Replication",
    () => ({ role: writerRole, connected_slaves: 0, master_failover_state: "no-failover" }),
  ],
  ["CPU", cpu],
  ["Cluster", () => ({ cluster_enabled: 1 })],
  ["Keyspace", keyspace],
  ["Coterie", coterie],
];

/** The text of INFO: the sections asked for, or all. */
export async function infoText(
  service: RespService,
  asked: readonly Uint8Array[],
): Promise<string> {
  const names = asked.map(optionOf);
  const isAll =
    names.length === 0 || names.some((name) => ["all", "default", "everything"].includes(name));
  const texts: string[] = [];
  for (const [title, facts] of sections) {
    if (!isAll && !names.includes(title.toLowerCase())) continue;
    const entries = Object.entries(await facts(service));
    const lines = entries.map(([name, value]) => `${name}:${value}\r\n`);
    texts.push(`# ${title}\r\n${lines.join("")}`);
  }
  return texts.join("\r\n");
}

/** Redis leaves out a database without keys. What is an estimate says so, and how old it is. */
async function keyspace({ clock, keyspace: estimate }: RespService): Promise<Facts> {
  const size = await estimate.read();
  if (size === undefined) return {};
  const { keys, expiring, isCounted, takenAtMs } = size;
  return {
    ...(keys > 0 && { db0: `keys=${keys},expires=${expiring},avg_ttl=0` }),
    keyspace_is_estimate: isCounted ? 0 : 1,
    keyspace_age_ms: Math.floor(clock.monotonicMs() - takenAtMs),
  };
}

function server({ clock, startedAtMs, address, node }: RespService): Facts {
  const seconds = Math.floor((clock.monotonicMs() - startedAtMs) / 1000);
  return {
    redis_version: redisVersion,
    coterie_version: version,
    redis_mode: "standalone",
    os: `${platform()} ${release()} ${arch()}`,
    arch_bits: 64,
    process_id: process.pid,
    run_id: Buffer.from(node.id).toString("hex").padEnd(40, "0").slice(0, 40),
    tcp_port: portOf(address),
    server_time_usec: Math.floor(clock.wallMs() * 1000),
    uptime_in_seconds: seconds,
    uptime_in_days: Math.floor(seconds / 86_400),
    hz: 10,
  };
}

function clients({ sessions, options }: RespService): Facts {
  return {
    connected_clients: sessions.size,
    cluster_connections: 0,
    maxclients: options.connectionsMax,
    blocked_clients: 0,
  };
}

function memory(): Facts {
  const { heapUsed, external, rss } = process.memoryUsage();
  const used = heapUsed + external;
  return {
    used_memory: used,
    used_memory_human: `${(used / 1024 / 1024).toFixed(2)}M`,
    used_memory_rss: rss,
    used_memory_rss_human: `${(rss / 1024 / 1024).toFixed(2)}M`,
    maxmemory: 0,
    maxmemory_human: "0B",
    maxmemory_policy: "noeviction",
    mem_fragmentation_ratio: (rss / used).toFixed(2),
    mem_allocator: "v8",
  };
}

function persistence({ node }: RespService): Facts {
  return {
    loading: node.missing().length === 0 ? 0 : 1,
    async_loading: 0,
    rdb_bgsave_in_progress: 0,
    aof_enabled: 1,
    aof_rewrite_in_progress: 0,
    aof_last_write_status: "ok",
  };
}

function stats({ statistics }: RespService): Facts {
  return {
    total_connections_received: statistics.connectionsReceived,
    total_commands_processed: statistics.commands,
    total_net_input_bytes: statistics.bytesReceived,
    total_net_output_bytes: statistics.bytesSent,
    rejected_connections: statistics.connectionsRefused,
    evicted_keys: 0,
  };
}

function cpu(): Facts {
  const { user, system } = process.cpuUsage();
  return {
    used_cpu_sys: (system / 1_000_000).toFixed(6),
    used_cpu_user: (user / 1_000_000).toFixed(6),
  };
}

function coterie({ node, options }: RespService): Facts {
  const document = node.document();
  return {
    node: node.id,
    bucket: options.bucket,
    members: document?.members.length ?? 0,
    members_reachable: 1 + node.peers().filter(({ isReachable }) => isReachable).length,
    partitions: document?.settings.partitions ?? 0,
    epoch: document?.epoch ?? 0,
  };
}
