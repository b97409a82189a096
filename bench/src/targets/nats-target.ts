import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "nats";
import { natsBucket } from "../drivers/nats-driver.ts";
import { findProgram } from "./debian-program.ts";
import { PrivateProcesses, freePorts } from "./private-processes.ts";
import type { Target } from "./target.ts";

const host = "127.0.0.1";

/** Three nats-servers with JetStream, and a bucket of three replicas. */
export async function startNats(parent: string): Promise<Target> {
  const program = findProgram("nats-server");
  if (program === undefined) throw new Error("nats-server is not installed");
  const processes = new PrivateProcesses(join(parent, "nats"));
  const ports = await freePorts(6);
  const routes = [1, 3, 5].map((at) => `nats://${host}:${ports[at]}`);
  for (const at of [0, 1, 2]) {
    const name = `nats-${at + 1}`;
    const file = join(processes.directoryOf(name), "nats.conf");
    writeFileSync(
      file,
      `server_name: "${name}"\nlisten: "${host}:${ports[at * 2]}"\n` +
        `jetstream { store_dir: "data", max_mem: 1G, max_file: 16G }\n` +
        `cluster { name: "bench", listen: "${host}:${ports[at * 2 + 1]}", ` +
        `routes: ${JSON.stringify(routes)} }\n`,
    );
    processes.start(name, program, ["-c", file]);
  }
  const addresses = [0, 2, 4].map((at) => `${host}:${ports[at]}`);
  try {
    await processes.until(() => makeBucket(addresses), "a bucket of nats");
  } catch (error) {
    await processes.stop();
    throw error;
  }
  return {
    name: "nats",
    description:
      "NATS JetStream KV, three replicas: a write has reached a majority, fsynced every two " +
      "minutes; a read asks one replica",
    addresses: { nats: addresses },
    pids: processes.pids,
    metricsDoors: [],
    stop: () => processes.stop(),
  };
}

/** False as long as the servers have not found each other. */
async function makeBucket(addresses: readonly string[]): Promise<boolean> {
  const connection = await connect({ servers: [...addresses], timeout: 2000 });
  try {
    await connection.jetstream({ timeout: 2000 }).views.kv(natsBucket, { replicas: 3, history: 1 });
    return true;
  } finally {
    await connection.close();
  }
}
