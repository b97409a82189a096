import { hostname } from "node:os";
import {
  type GivenBucket,
  type KeyHash,
  keyHashes,
  levelsOfBuild,
  limits,
  membershipDefaults,
} from "@coterie/core";
import { z } from "zod";
import { withoutPortRange } from "./addresses.ts";
import { givenBucket, unknownBucketSetting } from "./given-bucket.ts";

/** `log`: the log is the database; `leveldb`: LevelDB behind such a log. */
export const engineNames = ["log", "leveldb"] as const;
/** What keeps the records of a node. */
export type EngineName = (typeof engineNames)[number];

/** A node's configuration, whole and valid (docs/guide/configuration.md). */
export interface ServerConfig {
  readonly id: string;
  readonly data: string;
  /** More than one, or `auto`: `data`, `id` and the addresses are what theirs are made of. */
  readonly processes: number | "auto";
  readonly memory: boolean;
  /** `host:port` */
  readonly http: string;
  /** `host:port` */
  readonly grpc: string;
  /** `host:port` */
  readonly peer: string;
  /** `host:port` */
  readonly resp: string;
  readonly respBucket: string;
  readonly respFlush: boolean;
  readonly peerTransport: "http2" | "grpc-js";
  readonly bootstrap: readonly string[];
  readonly rejoin: "auto" | "off";
  readonly levelMax: number;
  readonly allowedHosts: readonly string[];
  readonly host: string;
  readonly zone: string;
  readonly weight: number;
  readonly clusterKey?: string | undefined;
  readonly insecure: boolean;
  readonly partitions: number;
  readonly hash: KeyHash;
  readonly nMax: number;
  /** What is left out follows from the number of nodes (clusterSettingsOf). */
  readonly buckets: Readonly<Record<string, GivenBucket>>;
  readonly engine: EngineName;
  readonly durability: "fsync" | "os";
  readonly segmentBytes: number;
  readonly reserveBytes: number;
  readonly cacheBytes: number;
  readonly queueBytes: number;
  readonly hintBytes: number;
  readonly valueBytes: number;
  readonly inFlight: number;
  readonly inFlightBytes: number;
  readonly connections: number;
  readonly timeoutMs: number;
  readonly queueDelayMs: number;
  readonly hedgeMsMin: number;
  readonly hedgeMsMax: number;
  readonly hedgePercentMax: number;
  readonly keepExpiredMs: number;
  readonly probeIntervalMs: number;
  readonly suspicionMs: number;
  readonly handoffBytes: number;
  readonly handoffKeys: number;
  /** Milliseconds; 0: off. */
  readonly antiEntropy: number;
  readonly antiEntropyBytes: number;
  readonly reapAfterMs: number;
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
}

export type ParsedConfig =
  | { readonly ok: true; readonly config: ServerConfig }
  | {
      readonly ok: false;
      readonly issues: readonly { readonly setting: string; readonly message: string }[];
    };

const mebibyte = 1024 * 1024;

const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:[\]/]+):\d{1,5}$/u, {
    error: "an address is HOST:PORT",
    abort: true,
  })
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) < 65_536, "no such port");

/** Flags and variables are text; files have numbers and booleans. */
const number = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^\d{1,16}$/u)
        .transform(Number),
    ],
    "it takes a whole number",
  )
  .pipe(z.number().int().min(0));
/** How often something happens, in milliseconds; 0 for never. */
const interval = z.union(
  [z.literal("off").transform(() => 0), number.pipe(z.number().min(100).max(86_400_000))],
  "it takes milliseconds, 100 or more, or off",
);
const atLeastOne = number.pipe(z.number().min(1));
const flag = z.union(
  [z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")],
  "it takes true or false",
);
/** More on one machine would want more ports than lie between the standard ones. */
const processesMax = 99;
const list = z.union([
  z.array(z.string()),
  z.string().transform((text) => text.split(",").filter(Boolean)),
]);

// One schema for files, environment and flags: validation, defaults and documentation in one place.
const schema = z.strictObject({
  id: z
    .string("give the node a name")
    .regex(/^[a-z0-9._-]{1,64}$/u, "an id is 1 to 64 of a-z 0-9 . _ -")
    .describe("This node's name in its cluster; it outlives its directory. Required"),
  data: z.string().min(1).default("./coterie-data").describe("Directory of this node's data"),
  processes: z
    .union(
      [z.literal("auto"), number.pipe(z.number().min(1).max(processesMax))],
      `it takes 1 to ${processesMax}, or auto`,
    )
    .default(1)
    .describe(
      "How many nodes to run here, each in a process of its own; `auto`: one per processor",
    ),
  memory: flag.default(false).describe("Keep everything in memory: for tests"),
  http: address.default("127.0.0.1:7401").describe("Where the HTTP door listens"),
  grpc: address.default("127.0.0.1:7601").describe("Where the gRPC door for clients listens"),
  resp: address.default("127.0.0.1:7501").describe("Where the door for Redis clients listens"),
  respBucket: z
    .string()
    .default("redis")
    .describe("The bucket that Redis clients see; its policy is `lww`"),
  respFlush: flag
    .default(false)
    .describe("Let FLUSHALL and FLUSHDB delete all keys of that bucket"),
  peer: address.default("127.0.0.1:7701").describe("Where the other nodes reach this one"),
  peerTransport: z
    .enum(["http2", "grpc-js"])
    .default("http2")
    .describe("What carries the streams between nodes; nodes may differ, and `http2` costs less"),
  bootstrap: list
    .transform((addresses) => addresses.flatMap(withoutPortRange))
    .pipe(z.array(address))
    .default([])
    .describe("Peer addresses of all nodes of a new cluster; this node's may be among them"),
  rejoin: z
    .enum(["auto", "off"])
    .default("auto")
    .describe("Whether a member whose directory was lost takes its place again with an empty one"),
  levelMax: atLeastOne
    .pipe(z.number().min(levelsOfBuild.min).max(levelsOfBuild.max))
    .default(levelsOfBuild.max)
    .describe("Newest level to speak with other nodes: less than all is for trying upgrades"),
  allowedHosts: list
    .default([])
    .describe("Names that `Host` headers may have at a loopback HTTP door, besides localhost"),
  host: z
    .string()
    .default(hostname())
    .describe("Label of the machine: copies go to different hosts where there are enough"),
  zone: z
    .string()
    .default("default")
    .describe("Label of the zone: copies go to different zones where there are enough"),
  weight: atLeastOne.default(1).describe("This node's share of the partitions"),
  clusterKey: z
    .string()
    .optional()
    .describe(
      "File with 32 bytes, or 64 hex digits, the same at all nodes, which bind contexts to keys",
    ),
  insecure: flag.default(false).describe("Allow addresses that other machines can reach"),
  partitions: atLeastOne
    .pipe(z.number().max(16_384))
    .default(1024)
    .describe("Slices of the hash space; cannot be changed later"),
  hash: z
    .enum(keyHashes)
    .default("md5")
    .describe(
      "What makes partitions of keys, for the life of a cluster; `redis-slots`: as Redis Cluster",
    ),
  nMax: atLeastOne.pipe(z.number().max(9)).default(3).describe("Most copies a bucket may have"),
  buckets: z
    .record(z.string(), givenBucket)
    .default({})
    .describe("Buckets that a new cluster forms with, by name, with their settings"),
  engine: z
    .enum(engineNames)
    .default("log")
    .describe(
      "`log`: an index in memory says where records are; `leveldb`: for more keys than fit",
    ),
  durability: z
    .enum(["fsync", "os"])
    .default("fsync")
    .describe("`fsync`: acknowledged means on the disk; `os`: it survives a process crash only"),
  segmentBytes: number
    .pipe(z.number().min(mebibyte))
    .default(64 * mebibyte)
    .describe("Size of one segment of the log"),
  reserveBytes: number
    .default(64 * mebibyte)
    .describe("Kept aside for deletes and repairs on a full disk"),
  cacheBytes: number.default(32 * mebibyte).describe("Recently used records kept in memory"),
  queueBytes: atLeastOne.default(64 * mebibyte).describe("Writes that may wait for the disk"),
  hintBytes: number
    .default(1024 * mebibyte)
    .describe("Records held for other nodes that are out of reach; more are refused"),
  valueBytes: atLeastOne
    .pipe(z.number().max(limits.valueBytesMax))
    .default(limits.valueBytesMax)
    .describe("Largest value taken"),
  inFlight: atLeastOne.default(8192).describe("Requests served at once; more are refused"),
  inFlightBytes: atLeastOne.default(256 * mebibyte).describe("Bytes of their values"),
  connections: atLeastOne
    .default(10_000)
    .describe("Connections at once, at each of the four doors; more are closed"),
  timeoutMs: atLeastOne
    .pipe(z.number().max(60_000))
    .default(2000)
    .describe("Deadline of a request that names none"),
  queueDelayMs: atLeastOne
    .pipe(z.number().max(10_000))
    .default(25)
    .describe("How long requests may wait for the process before fewer are let in"),
  hedgeMsMin: atLeastOne
    .pipe(z.number().max(10_000))
    .default(5)
    .describe("Least silence after which a read asks one more node"),
  hedgeMsMax: atLeastOne
    .pipe(z.number().max(10_000))
    .default(25)
    .describe("Longest; in between it is what 95 of 100 reads take at the nodes asked"),
  hedgePercentMax: number
    .pipe(z.number().max(100))
    .default(10)
    .describe("Of a hundred reads so many may ask one more; 0: only for nodes that stand still"),
  keepExpiredMs: number
    .default(60_000)
    .describe("How long the bytes of a value are kept after it has expired"),
  probeIntervalMs: number
    .pipe(z.number().min(100).max(10_000))
    .default(membershipDefaults.probeIntervalMs)
    .describe("How often this node probes another one; a probe fails after twice as long"),
  suspicionMs: number
    .pipe(z.number().min(100).max(600_000))
    .default(membershipDefaults.suspicionMs)
    .describe("How long at least a suspected node may take to answer before it counts as dead"),
  handoffBytes: number
    .default(64 * mebibyte)
    .describe("Bytes per second at which other nodes get what they missed; 0: they do not"),
  handoffKeys: atLeastOne
    .pipe(z.number().max(100_000_000))
    .default(1_000_000)
    .describe("Keys remembered because other nodes missed them, half of them for one node"),
  antiEntropy: interval
    .default(60_000)
    .describe("How often copies are compared with each other owner's; off: only when asked to"),
  antiEntropyBytes: atLeastOne
    .default(64 * mebibyte)
    .describe("Bytes per second that comparing and repairing may take"),
  reapAfterMs: number
    .pipe(z.number().max(10 * 365 * 24 * 3_600_000))
    .default(600_000)
    .describe(
      "How long a tombstone is left alone before all nodes may agree to forget it; 0: never",
    ),
  logLevel: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
    .default("info")
    .describe("Least severe lines that are logged"),
});

/** Every setting with its default and its meaning, in the order of the documentation. */
export interface SettingDescription {
  readonly name: string;
  readonly default: unknown;
  readonly meaning: string;
}

export const settings: readonly SettingDescription[] = Object.entries(schema.shape).map(
  ([name, field]) => {
    const absent = field.safeParse(undefined);
    return {
      name,
      default: absent.success ? absent.data : undefined,
      meaning: field.description ?? "",
    };
  },
);

/** Checks values by their schema; their names are known. */
export function parseServerConfig(values: Readonly<Record<string, unknown>>): ParsedConfig {
  const parsed = schema.safeParse(values);
  if (parsed.success) return { ok: true, config: parsed.data };
  const issues = parsed.error.issues.flatMap((issue) => {
    const setting = issue.path.join(".");
    if (issue.code !== "unrecognized_keys") {
      return [{ setting, message: `${setting}: ${issue.message}` }];
    }
    return issue.keys.map((key) => {
      const message = `${setting}: ${unknownBucketSetting(key)}`;
      return { setting: `${setting}.${key}`, message };
    });
  });
  return { ok: false, issues };
}
