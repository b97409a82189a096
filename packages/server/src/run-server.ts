import { peerTransports } from "./adapters/peer-network/peer-transports.ts";
import { SeverableTransport } from "./adapters/peer-network/severable-transport.ts";
import type { PeerTransport } from "./adapters/peer-network/transport.ts";
import type { ServerConfig } from "./config/server-config.ts";
import { obeyParent, tellParentGone } from "./obey-parent.ts";
import { type Log, openLog } from "./observability/log.ts";
import type { RunningServer } from "./running-server.ts";
import { setCollectorFlags } from "./collector-flags.ts";
import { startServer } from "./start-server.ts";

const signals = ["SIGTERM", "SIGINT"] as const;

/**
 * Runs a node as this process, and resolves with the exit code. SIGTERM and SIGINT drain it, a
 * second one ends it at once. A node that was started with an IPC channel also drains when that
 * closes: whoever started it is gone. Over the channel its links to others can be cut.
 */
export async function runServer(config: ServerConfig): Promise<number> {
  setCollectorFlags();
  const log = openLog(config);
  // After a failed fsync nothing may be acknowledged, and after a defect nothing be trusted: the
  // process ends in this very turn, and its next start recovers.
  const onFatal = (reason: string): never => {
    log.fatal({ event: "stopping-at-once", reason }, "stopping at once");
    process.exit(1);
  };
  const onUncaught = (error: unknown): never =>
    onFatal(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.on("uncaughtException", onUncaught);
  const links = severableLinks(config, log);
  let onGone: (removal: string | undefined) => void = () => undefined;
  const gone = new Promise<string | undefined>((resolve) => {
    onGone = resolve;
  });
  const onGoneForGood = (removal: string | undefined): void => {
    tellParentGone();
    onGone(removal);
  };
  const onDrainAsked = (): void => onGone(undefined);
  const options = { log, onFatal, onGone: onGoneForGood, onDrainAsked, say, ...links };
  const opened = await startServer(config, options);
  const problem = opened.ok ? await serveUntilStopped(opened.server, gone) : opened.message;
  process.off("uncaughtException", onUncaught);
  links?.stop();
  if (problem === undefined) return 0;
  log.fatal({ event: "cannot-start", reason: problem }, "the node cannot serve");
  process.stderr.write(`coterie: ${config.id}: ${problem}\n`);
  return 1;
}

/** Where there is a terminal: elsewhere the log has it, and nothing else is wanted in it. */
function say(line: string): void {
  if (process.stdout.isTTY) process.stdout.write(`${line}\n`);
}

/** Nothing for a node that runs by itself: its links are as its network is. */
function severableLinks(
  config: ServerConfig,
  log: Log,
): { readonly peerTransport: PeerTransport; readonly stop: () => void } | undefined {
  if (!process.connected) return undefined;
  const peerTransport = new SeverableTransport(peerTransports[config.peerTransport]);
  return { peerTransport, ...obeyParent(peerTransport, log) };
}

/**
 * Resolves when the server has stopped: with why it did not start, if it did not, or was removed
 * from its cluster.
 */
async function serveUntilStopped(
  server: RunningServer,
  gone: Promise<string | undefined>,
): Promise<string | undefined> {
  let stop: () => void = () => undefined;
  const asked = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  let signalled = false;
  const onSignal = (): void => {
    if (signalled) process.exit(1);
    signalled = true;
    stop();
  };
  for (const signal of signals) process.on(signal, onSignal);
  if (process.connected) process.once("disconnect", stop);
  // Started with a channel, which has closed before anybody could notice.
  else if (process.send !== undefined) stop();
  const failed = server.started.then(async (outcome) => (outcome.ok ? asked : outcome.message));
  const problem = await Promise.race([asked, failed, gone]);
  await server.drain();
  for (const signal of signals) process.off(signal, onSignal);
  process.off("disconnect", stop);
  return problem;
}
