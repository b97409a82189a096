import { hostname } from "node:os";
import { limits } from "@coterie/core";
import { z } from "zod";

// One schema for files, environment and flags: validation, defaults and documentation in one place
// (docs/guide/configuration.md is held to it by a test).

const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+):\d{1,5}$/u, "an address is HOST:PORT");

const bytes = z.coerce.number().int().min(0);

const bucket = z.strictObject({
  policy: z.enum(["siblings", "lww"]).default("siblings"),
  n: z.number().int().min(1).optional(),
  r: z.number().int().min(1).optional(),
  w: z.number().int().min(1).optional(),
  pr: z.number().int().min(0).default(0),
  pw: z.number().int().min(0).default(0),
  allowStale: z.boolean().default(false),
});

export const serverSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9._-]{1,64}$/u, "an id is 1 to 64 of a-z 0-9 . _ -")
    .describe("Name of this node in its cluster"),
  data: z.string().min(1).default("./coterie-data").describe("Directory of this node's data"),
  memory: z.coerce.boolean().default(false).describe("Keep everything in memory: for tests"),
  http: address.default("127.0.0.1:7401").describe("Address of the HTTP door"),
  peer: address.default("127.0.0.1:7701").describe("Address for other nodes"),
  bootstrap: z
    .array(address)
    .default([])
    .describe("Peer addresses of the nodes to form a cluster with"),
  host: z.string().default(hostname()).describe("Host label: copies go to distinct hosts"),
  zone: z.string().default("default").describe("Zone label: copies go to distinct zones"),
  weight: z.coerce.number().int().min(1).default(1).describe("Share of partitions"),
  clusterKey: z.string().optional().describe("File with 32 bytes that bind contexts to keys"),
  insecure: z.coerce.boolean().default(false).describe("Allow addresses that are not loopback"),
  partitions: z.coerce.number().int().min(1).max(16_384).default(1024).describe("Q, for ever"),
  nMax: z.coerce.number().int().min(1).max(9).default(3).describe("Most copies of a bucket"),
  buckets: z.record(z.string(), bucket).default({}).describe("Buckets and their settings"),
  durability: z.enum(["fsync", "os"]).default("fsync").describe("When a write is acknowledged"),
  segmentBytes: bytes
    .min(1024 * 1024)
    .default(64 * 1024 * 1024)
    .describe("Size of a log segment"),
  reserveBytes: bytes.default(64 * 1024 * 1024).describe("Kept free for a full disk"),
  cacheBytes: bytes.default(32 * 1024 * 1024).describe("Records kept in memory"),
  queueBytes: bytes.default(64 * 1024 * 1024).describe("Writes waiting for the disk"),
  valueBytes: bytes.max(limits.valueBytesMax).default(limits.valueBytesMax).describe("Of a value"),
  inFlight: z.coerce.number().int().min(1).default(8192).describe("Requests at once"),
  inFlightBytes: bytes.default(256 * 1024 * 1024).describe("Bytes of values at once"),
  connections: z.coerce.number().int().min(1).default(10_000).describe("HTTP connections"),
  timeoutMs: z.coerce.number().int().min(1).max(60_000).default(2000).describe("Of a request"),
  logLevel: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
    .default("info")
    .describe("Least severe lines of the log"),
});

/** A node's configuration, whole and valid. */
export type ServerConfig = z.infer<typeof serverSchema>;

export type ConfigOutcome =
  | { readonly ok: true; readonly config: ServerConfig }
  | { readonly ok: false; readonly message: string };
