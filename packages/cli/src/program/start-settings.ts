import { Option } from "commander";

/** A setting as the help of `coterie start` shows it. */
interface StartSetting {
  readonly name: string;
  /** What its flag takes; nothing for a flag that only says yes. */
  readonly takes: string;
  /** Its default; empty if it has none, or if the machine says. */
  readonly standard: string;
  readonly meaning: string;
}

/**
 * The settings of a node, as the server's schema has them: help must not wait for the server to be
 * loaded. A test holds the two together.
 */
export const startSettings: readonly StartSetting[] = [
  row("id", "<name>", "", "This node's name in its cluster; it outlives its directory. Required"),
  row("data", "<dir>", "./coterie-data", "Directory of this node's data"),
  row(
    "processes",
    "<count>",
    "1",
    "How many nodes to run here, each in a process of its own; `auto`: one per processor",
  ),
  row("memory", "", "", "Keep everything in memory: for tests"),
  row("http", "<host:port>", "127.0.0.1:7401", "Where the HTTP door listens"),
  row("grpc", "<host:port>", "127.0.0.1:7601", "Where the gRPC door for clients listens"),
  row("resp", "<host:port>", "127.0.0.1:7501", "Where the door for Redis clients listens"),
  row("respBucket", "<name>", "redis", "The bucket that Redis clients see; its policy is `lww`"),
  row("respFlush", "", "", "Let FLUSHALL and FLUSHDB delete all keys of that bucket"),
  row("peer", "<host:port>", "127.0.0.1:7701", "Where the other nodes reach this one"),
  row(
    "peerTransport",
    "<kind>",
    "http2",
    "What carries the streams between nodes; nodes may differ, and `http2` costs less",
  ),
  row(
    "bootstrap",
    "<list>",
    "[]",
    "Peer addresses of all nodes of a new cluster; this node's may be among them",
  ),
  row(
    "rejoin",
    "<kind>",
    "auto",
    "Whether a member whose directory was lost takes its place again with an empty one",
  ),
  row(
    "levelMax",
    "<count>",
    "2",
    "Newest level to speak with other nodes: less than all is for trying upgrades",
  ),
  row(
    "allowedHosts",
    "<list>",
    "[]",
    "Names that `Host` headers may have at a loopback HTTP door, besides localhost",
  ),
  row(
    "host",
    "<name>",
    "",
    "Label of the machine: copies go to different hosts where there are enough",
  ),
  row(
    "zone",
    "<name>",
    "default",
    "Label of the zone: copies go to different zones where there are enough",
  ),
  row("weight", "<count>", "1", "This node's share of the partitions"),
  row(
    "clusterKey",
    "<file>",
    "",
    "File with 32 bytes, or 64 hex digits, the same at all nodes, which bind contexts to keys",
  ),
  row("insecure", "", "", "Allow addresses that other machines can reach"),
  row("partitions", "<count>", "1024", "Slices of the hash space; cannot be changed later"),
  row(
    "hash",
    "<kind>",
    "md5",
    "What makes partitions of keys, for the life of a cluster; `redis-slots`: as Redis Cluster",
  ),
  row("nMax", "<count>", "3", "Most copies a bucket may have"),
  row(
    "buckets",
    "<json>",
    "{}",
    "Buckets that a new cluster forms with, by name, with their settings",
  ),
  row(
    "engine",
    "<name>",
    "log",
    "`log`: an index in memory says where records are; `leveldb`: for more keys than fit",
  ),
  row(
    "durability",
    "<kind>",
    "fsync",
    "`fsync`: acknowledged means on the disk; `os`: it survives a process crash only",
  ),
  row("segmentBytes", "<bytes>", "67108864", "Size of one segment of the log"),
  row("reserveBytes", "<bytes>", "67108864", "Kept aside for deletes and repairs on a full disk"),
  row("cacheBytes", "<bytes>", "33554432", "Recently used records kept in memory"),
  row("queueBytes", "<bytes>", "67108864", "Writes that may wait for the disk"),
  row(
    "hintBytes",
    "<bytes>",
    "1073741824",
    "Records held for other nodes that are out of reach; more are refused",
  ),
  row("valueBytes", "<bytes>", "8388608", "Largest value taken"),
  row("inFlight", "<count>", "8192", "Requests served at once; more are refused"),
  row("inFlightBytes", "<bytes>", "268435456", "Bytes of their values"),
  row(
    "connections",
    "<count>",
    "10000",
    "Connections at once, at each of the four doors; more are closed",
  ),
  row("timeoutMs", "<ms>", "2000", "Deadline of a request that names none"),
  row(
    "queueDelayMs",
    "<ms>",
    "25",
    "How long requests may wait for the process before fewer are let in",
  ),
  row("hedgeMsMin", "<ms>", "5", "Least silence after which a read asks one more node"),
  row(
    "hedgeMsMax",
    "<ms>",
    "25",
    "Longest; in between it is what 95 of 100 reads take at the nodes asked",
  ),
  row(
    "hedgePercentMax",
    "<count>",
    "10",
    "Of a hundred reads so many may ask one more; 0: only for nodes that stand still",
  ),
  row(
    "keepExpiredMs",
    "<ms>",
    "60000",
    "How long the bytes of a value are kept after it has expired",
  ),
  row(
    "probeIntervalMs",
    "<ms>",
    "400",
    "How often this node probes another one; a probe fails after twice as long",
  ),
  row(
    "suspicionMs",
    "<ms>",
    "4000",
    "How long at least a suspected node may take to answer before it counts as dead",
  ),
  row(
    "handoffBytes",
    "<bytes>",
    "67108864",
    "Bytes per second at which other nodes get what they missed; 0: they do not",
  ),
  row(
    "handoffKeys",
    "<count>",
    "1000000",
    "Keys remembered because other nodes missed them, half of them for one node",
  ),
  row(
    "antiEntropy",
    "<ms>",
    "60000",
    "How often copies are compared with each other owner's; off: only when asked to",
  ),
  row(
    "antiEntropyBytes",
    "<bytes>",
    "67108864",
    "Bytes per second that comparing and repairing may take",
  ),
  row(
    "reapAfterMs",
    "<ms>",
    "600000",
    "How long a tombstone is left alone before all nodes may agree to forget it; 0: never",
  ),
  row("logLevel", "<level>", "info", "Least severe lines that are logged"),
];

/** One flag per setting. The server checks the values, as it does those of files and variables. */
export function startSettingOptions(): readonly Option[] {
  return startSettings.map(({ name, takes, standard, meaning }) => {
    const flag = startFlag(name);
    const shown = standard === "" ? meaning : `${meaning} (${standard})`;
    return new Option(takes === "" ? flag : `${flag} ${takes}`, shown);
  });
}

/** The flag of a setting. */
export function startFlag(name: string): string {
  return `--${name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
}

function row(name: string, takes: string, standard: string, meaning: string): StartSetting {
  return { name, takes, standard, meaning };
}
