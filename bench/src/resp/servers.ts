import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { RealCluster } from "@coterie/e2e";
import { findProgram } from "../targets/debian-program.ts";
import { PrivateProcesses, freePorts } from "../targets/private-processes.ts";
import { startRedis } from "../targets/redis-target.ts";

const host = "127.0.0.1";

/** A running server of RESP. */
export interface RespServer {
  readonly name: string;
  readonly address: string;
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** Three Coterie nodes on the disk under `parent`; the load goes to the first. */
export async function startCoterie(parent: string): Promise<RespServer> {
  const cluster = await RealCluster.start({ parent });
  const [endpoint] = cluster.endpoints;
  if (endpoint === undefined) throw new Error("a cluster has a first node");
  return {
    name: "coterie",
    address: endpoint.resp,
    pids: cluster.pids,
    stop: async () => {
      await cluster.stop();
    },
  };
}

/** One redis-server that syncs every write before it answers, and two that follow it. */
export async function startRedisSynced(parent: string): Promise<RespServer> {
  const redis = await startRedis(parent);
  const { addresses, pids } = redis;
  return {
    name: "redis synced",
    address: addresses["redis"]?.[0] ?? "",
    pids,
    stop: () => redis.stop(),
  };
}

/** One redis-server that keeps everything in memory and writes nothing. */
export async function startRedisInMemory(parent: string): Promise<RespServer> {
  const program = findProgram("redis-server");
  if (program === undefined) throw new Error("redis-server is not installed (apt: redis-server)");
  const processes = new PrivateProcesses(join(parent, "redis-in-memory"));
  const [port = 0] = await freePorts(1);
  const inMemory = ["--appendonly", "no", "--save", ""];
  processes.start("redis", program, ["--bind", host, "--port", `${port}`, ...inMemory]);
  try {
    await processes.until(() => answers(port), "redis-server");
  } catch (error) {
    await processes.stop();
    throw error;
  }
  const { pids } = processes;
  return {
    name: "redis in memory",
    address: `${host}:${port}`,
    pids,
    stop: () => processes.stop(),
  };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect");
    socket.write("PING\r\n");
    const [text]: Buffer[] = await once(socket, "data");
    return text?.toString("latin1") === "+PONG\r\n";
  } finally {
    socket.destroy();
  }
}
