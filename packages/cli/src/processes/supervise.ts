import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log, NodePlan, ServerConfig } from "@coterie/server";
import { pidIn, processState } from "../dev/process-state.ts";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { startFlag } from "../program/start-settings.ts";
import { checkForSeveral, makeDirectories, processCount } from "./process-directories.ts";
import { pidFileIn, SupervisedNode } from "./supervised-node.ts";

/** The line that `coterie start` was given. */
export interface GivenStart {
  /** Of --config. */
  readonly file: string | undefined;
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Nodes have five seconds for what is in flight, and then close their stores. */
const DRAIN_MS = 30_000;
/** Nodes whose supervisor was killed notice, and drain. */
const LEFTOVERS_MS = 15_000;
const POLL_MS = 50;

/** `coterie start --processes N`: runs several nodes until it is asked to stop. */
export async function supervise(config: ServerConfig, given: GivenStart): Promise<ExitCode> {
  const { makeDirectory, nodePlans, openLog } = await import("@coterie/server");
  const directory = resolve(config.data);
  checkForSeveral(directory);
  const planned = nodePlans(config, processCount(directory, config.processes));
  if (!planned.ok) {
    throw new CliFailure(exitCodes.usage, planned.message, "another --processes, or --data DIR");
  }
  const { plans } = planned;
  for (const { data } of plans) await untilFree(data);
  makeDirectories(
    plans.map(({ data }) => data),
    makeDirectory,
  );
  const log = openLog(config);
  const stopping = new AbortController();
  const supervision = { log, stopping: stopping.signal, makeDirectory };
  const nodes = plans.map((plan) => {
    return new SupervisedNode(plan, wordsOf(plan, given), supervision);
  });
  return runAll(nodes, log, stopping);
}

async function runAll(
  nodes: readonly SupervisedNode[],
  log: Log,
  stopping: AbortController,
): Promise<ExitCode> {
  let stopped: Promise<void> | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopped !== undefined) {
      for (const node of nodes) node.kill();
      process.exit(exitCodes.failure);
    }
    log.info({ event: "processes-draining", signal }, "all nodes are stopped, one after another");
    stopping.abort();
    stopped = stopInTurn(nodes);
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, onSignal);
  const exits = await Promise.all(nodes.map((node) => node.run()));
  await stopped;
  return exits.every((exit) => exit === exitCodes.ok) ? exitCodes.ok : exitCodes.failure;
}

/** While one goes, the others serve. */
async function stopInTurn(nodes: readonly SupervisedNode[]): Promise<void> {
  for (const node of nodes) await node.stop(DRAIN_MS);
}

/** The line that starts one of the nodes: the given one, with what the node has to itself. */
function wordsOf(plan: NodePlan, { file, flags }: GivenStart): readonly string[] {
  const own = { ...plan, bootstrap: plan.bootstrap.join(","), processes: "1" };
  const settings: Readonly<Record<string, unknown>> = { ...flags, ...own };
  const words = Object.entries(settings).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return typeof value === "string" ? [startFlag(name), value] : [startFlag(name)];
  });
  return ["start", ...(file === undefined ? [] : ["--config", file]), ...words];
}

/** Waits while a node of an earlier run is still on its way out. */
async function untilFree(directory: string): Promise<void> {
  const endMs = performance.now() + LEFTOVERS_MS;
  for (; ; await sleep(POLL_MS)) {
    const pid = pidIn(pidFileIn(directory));
    if (pid === undefined || processState(pid, directory) === "gone") return;
    if (performance.now() < endMs) continue;
    throw new CliFailure(
      exitCodes.failure,
      `${directory} is in use by a node with pid ${pid}`,
      "stop that one first, or --data DIR for another directory",
    );
  }
}
