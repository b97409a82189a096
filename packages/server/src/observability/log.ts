import { type Logger, pino } from "pino";
import type { ServerConfig } from "../config/server-config.ts";

export type Log = Logger;

/** JSON lines on standard error, written at once: the last line before a crash is there. */
export function openLog(config: Pick<ServerConfig, "id" | "logLevel">): Log {
  return pino(
    { level: config.logLevel, base: { node: config.id, pid: process.pid } },
    pino.destination({ fd: 2, sync: true }),
  );
}
