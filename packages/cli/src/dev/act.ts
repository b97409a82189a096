import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { shellQuote } from "../http/keys.ts";
import { processTerminal } from "../terminal.ts";
import { askDev, runningDev, type DevActionResult } from "./control.ts";
import { DevDirectory } from "./dev-directory.ts";
import { nodesIn, type DevAction, type DevOrder } from "./dev-order.ts";
import { pidIn, processState } from "./process-state.ts";

export interface DevActOptions {
  readonly data: string;
}

/** `coterie dev kill`, `cut` and so on, from another terminal than the one dev runs in. */
export async function actOnDev(order: DevOrder, options: DevActOptions): Promise<ExitCode> {
  const directory = new DevDirectory(options.data);
  const endpoints = directory.readEndpoints();
  if (endpoints === undefined) {
    throw new CliFailure(
      exitCodes.failure,
      `there is no dev cluster in ${directory.path}`,
      "`coterie dev` starts one; --data DIR names the directory of another",
    );
  }
  const ids = endpoints.nodes.map((node) => node.id);
  const unknown = nodesIn(order).find((id) => !ids.includes(id));
  if (unknown !== undefined) {
    const known = `there is no node ${unknown}; there are ${ids.join(", ")}`;
    throw new CliFailure(exitCodes.usage, known);
  }
  if (order.kind === "add" && !/^n\d{1,9}$/u.test(order.id ?? "n1")) {
    throw new CliFailure(exitCodes.usage, `nodes of a dev cluster are named n1, n2, and so on`);
  }
  const dev = await runningDev(directory);
  const result = dev === undefined ? withoutDev(directory, order) : await askDev(dev, order);
  if (!result.ok) throw new CliFailure(exitCodes.failure, result.message);
  processTerminal().say(result.message);
  return exitCodes.ok;
}

/** The groups of `coterie dev cut n1 n2,n3`: one for each word. */
export function groupsIn(words: readonly string[]): readonly (readonly string[])[] {
  const groups = words.map((word) => word.split(",").filter((id) => id !== ""));
  const named = groups.flat();
  const twice = named.find((id, index) => named.indexOf(id) !== index);
  if (twice === undefined) return groups;
  throw new CliFailure(exitCodes.usage, `${twice} is named twice: nothing is cut off from itself`);
}

function withoutDev(directory: DevDirectory, order: DevOrder): DevActionResult {
  if (order.kind === "kill" || order.kind === "pause" || order.kind === "revive") {
    return signalNode(directory, order.kind, order.id);
  }
  return { ok: false, message: `no \`coterie dev\` runs in ${directory.path}` };
}

/** Nodes without their dev are about to stop by themselves; a paused one waits for us. */
function signalNode(directory: DevDirectory, action: DevAction, id: string): DevActionResult {
  const pid = pidIn(directory.pidFile(id));
  if (pid === undefined || processState(pid, directory.nodeDirectory(id)) === "gone") {
    throw new CliFailure(
      exitCodes.failure,
      `${id} does not run, and neither does a \`coterie dev\` in ${directory.path}`,
      `coterie dev --data ${shellQuote(directory.path)}`,
    );
  }
  process.kill(pid, { kill: "SIGKILL", pause: "SIGSTOP", revive: "SIGCONT" }[action]);
  return { ok: true, message: `${id} (pid ${pid}): ${action}` };
}
