import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exchange, newAgent, type ExchangeResult } from "../http/exchange.ts";
import type { DevControlAddress } from "./control-address.ts";
import type { DevDirectory } from "./dev-directory.ts";
import type { DevOrder } from "./dev-order.ts";
import { DEV_HOST } from "./ports.ts";

/** Whether it was done, in words. */
export interface DevActionResult {
  readonly ok: boolean;
  readonly message: string;
}

/** Listens for `coterie dev kill`, `cut` and so on; the address is in DIR/dev.json. */
export async function serveControl(
  directory: DevDirectory,
  act: (order: DevOrder) => Promise<DevActionResult>,
): Promise<Server> {
  const token = randomBytes(16).toString("hex");
  const server = createServer((request, response) => {
    const [, given, order = ""] = (request.url ?? "").split("/");
    if (given !== token) {
      response.writeHead(403).end();
    } else if (order === "") {
      response.end(JSON.stringify({ ok: true, message: "" }));
    } else {
      // Only this very program knows the token.
      const asked = JSON.parse(decodeURIComponent(order)) as DevOrder;
      void act(asked).then((result) => response.end(JSON.stringify(result)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, DEV_HOST, resolve));
  const { port } = server.address() as AddressInfo;
  directory.writeControl({ pid: process.pid, port, token });
  return server;
}

/** The `coterie dev` that runs in the directory, if one does. */
export async function runningDev(directory: DevDirectory): Promise<DevControlAddress | undefined> {
  const address = directory.readControl();
  if (address === undefined) return undefined;
  const answer = await call(address, "", 2000);
  return answer.ok && answer.reply.status === 200 ? address : undefined;
}

/** Asks a running dev to act on its nodes. */
export async function askDev(
  address: DevControlAddress,
  order: DevOrder,
): Promise<DevActionResult> {
  // A node that leaves hands over first all that it holds.
  const timeoutMs = order.kind === "remove" || order.kind === "add" ? 24 * 3_600_000 : 60_000;
  const answer = await call(address, encodeURIComponent(JSON.stringify(order)), timeoutMs);
  if (!answer.ok) return { ok: false, message: answer.message };
  return JSON.parse(answer.reply.body.toString("utf8")) as DevActionResult;
}

async function call(
  { port, token }: DevControlAddress,
  path: string,
  timeoutMs: number,
): Promise<ExchangeResult> {
  const agent = newAgent();
  const node = new URL(`http://${DEV_HOST}:${port}`);
  const result = await exchange(
    agent,
    node,
    { method: "POST", path: `/${token}/${path}` },
    timeoutMs,
  );
  agent.destroy();
  return result;
}
