import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { shellQuote } from "../http/keys.ts";
import { processTerminal } from "../terminal.ts";
import { askDev, runningDev, type DevAction } from "./control.ts";
import { DevDirectory } from "./dev-directory.ts";
import { pidIn, processState } from "./process-state.ts";

export interface DevActOptions {
  readonly data: string;
}

/** `coterie dev kill|pause|revive NODE`, from another terminal than the one dev runs in. */
export async function actOnNode(
  action: DevAction,
  id: string,
  options: DevActOptions,
): Promise<ExitCode> {
  const directory = new DevDirectory(options.data);
  const endpoints = directory.readEndpoints();
  if (endpoints === undefined) {
    throw new CliFailure(
      exitCodes.failure,
      `there is no dev cluster in ${directory.path}`,
      "`coterie dev` starts one; --data DIR names the directory of another",
    );
  }
  if (!endpoints.nodes.some((node) => node.id === id)) {
    const ids = endpoints.nodes.map((node) => node.id).join(", ");
    throw new CliFailure(exitCodes.usage, `there is no node ${id}; there are ${ids}`);
  }
  const dev = await runningDev(directory);
  const result =
    dev === undefined ? signalNode(directory, action, id) : await askDev(dev, action, id);
  if (!result.ok) throw new CliFailure(exitCodes.failure, result.message);
  processTerminal().say(result.message);
  return exitCodes.ok;
}

/** Nodes without their dev are about to stop by themselves; a paused one waits for us. */
function signalNode(
  directory: DevDirectory,
  action: DevAction,
  id: string,
): { readonly ok: boolean; readonly message: string } {
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
