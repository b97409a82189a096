import { join } from "node:path";
import { etcdMaintenance } from "../drivers/etcd-calls.ts";
import { findProgram } from "./debian-program.ts";
import { PrivateProcesses, freePorts } from "./private-processes.ts";
import type { Target } from "./target.ts";

const host = "127.0.0.1";
const callMs = 1000;

/** Three members of etcd. */
export async function startEtcd(parent: string): Promise<Target> {
  const program = findProgram("etcd");
  if (program === undefined) throw new Error("etcd is not installed");
  const processes = new PrivateProcesses(join(parent, "etcd"));
  const ports = await freePorts(6);
  const members = [0, 1, 2].map((at) => ({
    name: `etcd-${at + 1}`,
    client: `${host}:${ports[at * 2]}`,
    peer: `http://${host}:${ports[at * 2 + 1]}`,
  }));
  const all = members.map(({ name, peer }) => `${name}=${peer}`).join(",");
  for (const { name, client, peer } of members) {
    const options = {
      "--name": name,
      "--data-dir": join(processes.directoryOf(name), "data"),
      "--listen-client-urls": `http://${client}`,
      "--advertise-client-urls": `http://${client}`,
      "--listen-peer-urls": peer,
      "--initial-advertise-peer-urls": peer,
      "--initial-cluster": all,
      "--initial-cluster-token": name.slice(0, 4),
      "--quota-backend-bytes": String(8 * 1024 ** 3),
      "--log-level": "warn",
    };
    processes.start(name, program, Object.entries(options).flat());
  }
  const addresses = members.map(({ client }) => client);
  try {
    await processes.until(() => allKnowTheLeader(addresses), "etcd to elect a leader");
  } catch (error) {
    await processes.stop();
    throw error;
  }
  return {
    name: "etcd",
    description:
      "etcd, three members: a write is fsynced on a majority; a read is linearizable, confirmed " +
      "by a majority",
    addresses: { etcd: addresses },
    pids: processes.pids,
    metricsDoors: [],
    stop: () => processes.stop(),
  };
}

async function allKnowTheLeader(addresses: readonly string[]): Promise<boolean> {
  const leaders = await Promise.all(addresses.map(leaderOf));
  return leaders.every((leader) => leader !== "0" && leader === leaders[0]);
}

function leaderOf(address: string): Promise<string> {
  const client = etcdMaintenance(address);
  return new Promise((resolve, reject) => {
    client.status({}, { deadline: Date.now() + callMs }, (error, reply) => {
      client.close();
      if (error === null) resolve(reply?.leader ?? "0");
      else reject(error);
    });
  });
}
