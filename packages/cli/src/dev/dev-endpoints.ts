import type { KeyHash } from "@coterie/core";
import { CliFailure, exitCodes } from "../exit.ts";
import type { DevDirectory } from "./dev-directory.ts";
import {
  RESP_OFFSET,
  type DevEndpoint,
  type DevEndpoints,
  type DevEngine,
} from "./endpoints-text.ts";
import { DEV_HOST, freePorts, isPortFree } from "./ports.ts";

/** What the user asked for; what is left out comes from the directory, or has a default. */
export interface DevShape {
  readonly nodes?: number;
  /** 0 lets the system choose. */
  readonly basePort?: number;
  readonly memory?: boolean;
  readonly hash?: KeyHash;
  readonly engine?: DevEngine;
  readonly n?: number;
  readonly r?: number;
  readonly w?: number;
}

const NODES = 3;
const BASE_PORT = 7400;
const GRPC_OFFSET = 200;
const PEER_OFFSET = 300;
/** Q of a small cluster that may grow to some tens of nodes. */
const PARTITIONS = 64;

/** The endpoints of the cluster in the directory, or of a new one; every port is free. */
export async function settleEndpoints(
  directory: DevDirectory,
  shape: DevShape,
): Promise<DevEndpoints> {
  const recorded = directory.readEndpoints();
  if (recorded !== undefined && !recorded.isMemory) {
    checkShape(directory, recorded, shape);
    await checkPorts(recorded.nodes);
    return recorded;
  }
  const count = shape.nodes ?? NODES;
  const copies = copiesOf(shape, count);
  const basePort = shape.basePort ?? BASE_PORT;
  const nodes = basePort === 0 ? await chosenEndpoints(count) : fixedEndpoints(count, basePort);
  await checkPorts(nodes);
  const isMemory = shape.memory === true;
  const { hash = "md5", engine = "log" } = shape;
  const kept = { isMemory, partitions: PARTITIONS, hash, engine };
  const endpoints: DevEndpoints = { ...kept, ...copies, nodes };
  directory.writeEndpoints(endpoints);
  return endpoints;
}

/** Where one more node listens: at ports like the others', or at any that are free. */
export async function endpointFor(id: string, nodes: readonly DevEndpoint[]): Promise<DevEndpoint> {
  const number = Number(id.slice(1));
  const [first] = nodes;
  const basePort = Number(first?.http.split(":")[1]) - Number(first?.id.slice(1));
  const fixed = fixedEndpoint(number, basePort);
  const isFixed = nodes.every((node) => {
    const { http, grpc, resp, peer } = fixedEndpoint(Number(node.id.slice(1)), basePort);
    return [http, grpc, resp, peer].join() === [node.http, node.grpc, node.resp, node.peer].join();
  });
  if (!isFixed) return { ...((await chosenEndpoints(1))[0] ?? fixed), id };
  await checkPorts([fixed]);
  return fixed;
}

/** How many copies there are, and how many of them must answer. */
function copiesOf(
  shape: DevShape,
  count: number,
): { readonly n: number; readonly r: number; readonly w: number } {
  const n = shape.n ?? Math.min(3, count);
  const majority = Math.floor(n / 2) + 1;
  const r = shape.r ?? majority;
  const w = shape.w ?? majority;
  if (n > count) {
    throw new CliFailure(
      exitCodes.usage,
      `${n} copies of every key need ${n} nodes, not ${count}`,
      `--nodes ${n}`,
    );
  }
  if (r > n || w > n || r + w <= n) {
    throw new CliFailure(
      exitCodes.usage,
      `with n=${n}, r=${r} and w=${w} ` +
        (r + w <= n ? "a read may miss the last write" : "some request can never be answered"),
      `r and w of at most ${n}, and together more than ${n}: --r ${majority} --w ${majority}`,
    );
  }
  return { n, r, w };
}

function checkShape(directory: DevDirectory, recorded: DevEndpoints, shape: DevShape): void {
  const port = Number(recorded.nodes[0]?.http.split(":")[1]);
  const mismatches: readonly (readonly [string, unknown, unknown])[] = [
    ["--nodes", shape.nodes, recorded.nodes.length],
    ["--base-port", shape.basePort === 0 ? undefined : shape.basePort, port - 1],
    ["--n", shape.n, recorded.n],
    ["--r", shape.r, recorded.r],
    ["--w", shape.w, recorded.w],
    ["--hash", shape.hash, recorded.hash],
    ["--engine", shape.engine, recorded.engine],
    ["--memory", shape.memory, false],
  ];
  for (const [option, asked, made] of mismatches) {
    if (asked === undefined || asked === made) continue;
    const was = option === "--memory" ? "without --memory" : `with ${option} ${String(made)}`;
    throw new CliFailure(
      exitCodes.usage,
      `the cluster in ${directory.path} was made ${was}`,
      `leave ${option} out, or --data DIR for another cluster, or --reset to begin anew`,
    );
  }
}

function fixedEndpoints(count: number, basePort: number): readonly DevEndpoint[] {
  return Array.from({ length: count }, (_, index) => fixedEndpoint(index + 1, basePort));
}

function fixedEndpoint(number: number, basePort: number): DevEndpoint {
  return {
    id: `n${number}`,
    http: `${DEV_HOST}:${basePort + number}`,
    resp: `${DEV_HOST}:${basePort + RESP_OFFSET + number}`,
    grpc: `${DEV_HOST}:${basePort + GRPC_OFFSET + number}`,
    peer: `${DEV_HOST}:${basePort + PEER_OFFSET + number}`,
  };
}

async function chosenEndpoints(count: number): Promise<readonly DevEndpoint[]> {
  const ports = await freePorts(count * 4);
  return Array.from({ length: count }, (_, index) => ({
    id: `n${index + 1}`,
    http: `${DEV_HOST}:${ports[index * 4]}`,
    resp: `${DEV_HOST}:${ports[index * 4 + 1]}`,
    grpc: `${DEV_HOST}:${ports[index * 4 + 2]}`,
    peer: `${DEV_HOST}:${ports[index * 4 + 3]}`,
  }));
}

async function checkPorts(nodes: readonly DevEndpoint[]): Promise<void> {
  for (const { id, http, grpc, resp, peer } of nodes) {
    for (const [door, address] of [
      ["HTTP", http],
      ["gRPC", grpc],
      ["RESP", resp],
      ["peers", peer],
    ] as const) {
      const port = Number(address.split(":")[1]);
      if (await isPortFree(port)) continue;
      throw new CliFailure(
        exitCodes.failure,
        `port ${port} is in use; ${id} needs it for ${door}`,
        "--base-port N for ports N+1 and up (--base-port 0 lets the system choose), with a " +
          "--data DIR of its own; or stop what listens there",
      );
    }
  }
}
