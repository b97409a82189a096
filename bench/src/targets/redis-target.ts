import { join } from "node:path";
import { once } from "node:events";
import { connect } from "node:net";
import { findProgram } from "./debian-program.ts";
import { PrivateProcesses, freePorts } from "./private-processes.ts";
import type { Target } from "./target.ts";

const host = "127.0.0.1";

/** One redis-server that syncs every write, and two that follow it. */
export async function startRedis(parent: string): Promise<Target> {
  const program = findProgram("redis-server");
  if (program === undefined) throw new Error("redis-server is not installed");
  const processes = new PrivateProcesses(join(parent, "redis"));
  const ports = await freePorts(3);
  const [primary = 0] = ports;
  for (const [at, port] of ports.entries()) {
    const name = `redis-${at + 1}`;
    const durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
    const place = ["--bind", host, "--port", String(port), "--dir", processes.directoryOf(name)];
    const role = at === 0 ? [] : ["--replicaof", `${host} ${primary}`];
    // Followers begin with what the first has in memory, without a file in between.
    const quick = ["--repl-diskless-sync-delay", "0", "--maxclients", "4096"];
    processes.start(name, program, [...place, ...durable, ...role, ...quick]);
  }
  try {
    await processes.until(() => hasReplicas(primary), "two replicas of redis");
  } catch (error) {
    await processes.stop();
    throw error;
  }
  return {
    name: "redis",
    description:
      "Redis, one primary and two replicas: a write is fsynced on the primary (appendfsync " +
      "always) and has reached one replica (WAIT 1 1000); a read asks the primary alone",
    addresses: { redis: [`${host}:${primary}`] },
    pids: processes.pids,
    metricsDoors: [],
    stop: () => processes.stop(),
  };
}

async function hasReplicas(port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect");
    socket.write("INFO replication\r\n");
    const [text]: Buffer[] = await once(socket, "data");
    return (text?.toString("latin1").match(/state=online/gu) ?? []).length === 2;
  } finally {
    socket.destroy();
  }
}
