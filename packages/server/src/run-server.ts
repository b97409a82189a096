import type { ServerConfig } from "./config/server-config.ts";
import { openLog } from "./observability/log.ts";
import { startServer } from "./start-server.ts";

/**
 * Runs a node as this process, until it is told to stop: SIGTERM and SIGINT drain it, a second one
 * ends it at once; so does the end of the process that started it with an IPC channel. Resolves
 * with the exit code; a disk that cannot be trusted ends the process on the spot.
 */
export async function runServer(config: ServerConfig): Promise<number> {
  const log = openLog(config);
  const { id, http, peer, data, memory } = config;
  log.info({ http, peer, data: memory ? "memory" : data, version: process.version }, "starting");
  let stop: (reason: string) => void = () => undefined;
  const stopped = new Promise<string>((resolve) => {
    stop = resolve;
  });
  let isStopping = false;
  const onSignal = (signal: string): void => {
    if (isStopping) process.exit(130);
    isStopping = true;
    stop(signal);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  process.on("disconnect", () => stop("the process that started this node has ended"));

  const started = startServer(config, log, (reason) => {
    // Nothing may be acknowledged after this, so nothing may run after it either.
    log.fatal({ reason }, "the disk cannot be trusted: stopping at once");
    process.exit(1);
  });
  const first = await Promise.race([started, stopped]);
  if (typeof first === "string") return 0;
  if (!first.ok) {
    log.fatal(first.message);
    process.stderr.write(`coterie: ${id}: ${first.message}\n`);
    return 1;
  }
  const reason = await stopped;
  log.info({ reason }, "draining");
  await first.server.drain();
  log.info("stopped");
  return 0;
}
