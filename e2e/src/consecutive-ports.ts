import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the range from which the usual systems take the local ports of outgoing connections. */
const FIRST_PORT = 15_000;
const LAST_PORT = 32_000;

/** The first of `count` consecutive ports of loopback that nothing listens on. */
export async function consecutivePorts(count: number): Promise<number> {
  for (;;) {
    const first = randomInt(FIRST_PORT, LAST_PORT);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
