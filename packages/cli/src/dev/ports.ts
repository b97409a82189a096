import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { CliFailure, exitCodes } from "../exit.ts";

/** Every port of `coterie dev` listens here. */
export const DEV_HOST = "127.0.0.1";

/**
 * Below the range from which the usual systems take the local ports of outgoing connections: a
 * node that was killed finds its port free when it is revived.
 */
const FIRST_PORT = 15_000;
const LAST_PORT = 32_000;

/** True if nothing listens on the port. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: DEV_HOST, port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

/** `count` different ports that nothing listens on. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count && attempt < count * 100; attempt += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (!ports.has(port) && (await isPortFree(port))) ports.add(port);
  }
  if (ports.size < count) {
    throw new CliFailure(exitCodes.failure, `cannot find ${count} free ports on ${DEV_HOST}`);
  }
  return [...ports];
}
