import { join, resolve } from "node:path";
import { portOf, withPort } from "./addresses.ts";
import type { ServerConfig } from "./server-config.ts";

/** What one of several nodes of a machine has to itself. */
export type NodePlan = Pick<ServerConfig, "id" | "data" | Door | "bootstrap">;

export type NodePlans =
  | { readonly ok: true; readonly plans: readonly NodePlan[] }
  | { readonly ok: false; readonly setting: string; readonly message: string };

type Door = (typeof doors)[number];

const doors = ["http", "grpc", "resp", "peer"] as const;
const ID_LENGTH_MAX = 64;

/**
 * The nodes that one configuration describes: the first has the ports that are named, each further
 * one the next ports; ids are ID-1, ID-2, directories DIR/p1, DIR/p2, and so on. Without
 * `bootstrap` they form a cluster of their own.
 */
export function nodePlans(config: ServerConfig, count: number): NodePlans {
  const problem = problemOf(config, count);
  if (problem !== undefined) return { ok: false, ...problem };
  const at = (door: Door, index: number): string =>
    withPort(config[door], portOf(config[door]) + index);
  const indices = Array.from({ length: count }, (_, index) => index);
  const bootstrap =
    config.bootstrap.length > 0 ? config.bootstrap : indices.map((index) => at("peer", index));
  const plans = indices.map((index) => ({
    id: `${config.id}-${index + 1}`,
    data: join(resolve(config.data), `p${index + 1}`),
    http: at("http", index),
    grpc: at("grpc", index),
    resp: at("resp", index),
    peer: at("peer", index),
    bootstrap,
  }));
  return { ok: true, plans };
}

type Problem = Omit<NodePlans & { readonly ok: false }, "ok">;

function problemOf(config: ServerConfig, count: number): Problem | undefined {
  const { id, memory } = config;
  if (memory) {
    const why = "a process that is started again could not go on with what it held";
    return {
      setting: "memory",
      message: `memory and several processes do not go together: ${why}`,
    };
  }
  const last = `${id}-${count}`;
  if (last.length > ID_LENGTH_MAX) {
    const message = `id: ${last}, the id of process ${count}, is longer than ${ID_LENGTH_MAX}`;
    return { setting: "id", message };
  }
  return portProblem(config, count);
}

function portProblem(config: ServerConfig, count: number): Problem | undefined {
  const taken = new Map<string, string>();
  for (const setting of doors) {
    const first = portOf(config[setting]);
    if (first === 0) {
      const message = `${setting}: several processes count their ports from one that is named`;
      return { setting, message };
    }
    for (let index = 0; index < count; index += 1) {
      const owner = `${setting} of process ${index + 1}`;
      if (first + index > 65_535) {
        return { setting, message: `${owner} would be port ${first + index}: there is none` };
      }
      const address = withPort(config[setting], first + index);
      const other = taken.get(address);
      if (other !== undefined) {
        return { setting, message: `${other} and ${owner} would both be ${address}` };
      }
      taken.set(address, owner);
    }
  }
  return undefined;
}
