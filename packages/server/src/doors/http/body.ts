import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import type { ByteBudget } from "../byte-budget.ts";
import { SharedRoom } from "../shared-room.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import { failureResponse, refuse } from "./responses.ts";
import type { RequestFacts } from "./request-facts.ts";

/** Reads a request's body, whole, within the limits: over them nothing is kept or waited for. */
export async function readBody(
  context: Context,
  facts: RequestFacts,
  bytesMax: number,
  budget: ByteBudget,
): Promise<Uint8Array | Response> {
  const encoding = facts.header("content-encoding");
  if (encoding !== undefined && encoding !== "identity") {
    return failureResponse({
      code: "bad-request",
      status: 415,
      message: `values are stored as they come; Content-Encoding ${encoding} is not understood`,
      outcome: "refused",
      headers: { Connection: "close" },
    });
  }
  // The parser has checked that it is a number.
  const announced = Number(facts.header("content-length") ?? 0);
  if (announced > bytesMax) return tooLarge(bytesMax);
  const { incoming } = facts;
  if (incoming === undefined) {
    const bytes = new Uint8Array(await context.req.arrayBuffer());
    return bytes.length > bytesMax ? tooLarge(bytesMax) : bytes;
  }
  const room = new SharedRoom(budget);
  if (!room.take(announced)) return overloaded();
  if (incoming.headers.expect !== undefined) facts.continueBody();
  return readIncoming(incoming, { bytesMax, announced, room });
}

function readIncoming(
  incoming: IncomingMessage,
  { bytesMax, announced, room }: { bytesMax: number; announced: number; room: SharedRoom },
): Promise<Uint8Array | Response> {
  return new Promise((resolve) => {
    const bytes = new GrowingBytes();
    let taken = announced;
    const settle = (result: Uint8Array | Response): void => {
      room.give(taken);
      incoming.off("data", onData);
      incoming.off("end", onEnd);
      incoming.off("close", onClose);
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      const length = bytes.length + chunk.length;
      if (length > bytesMax) return settle(tooLarge(bytesMax));
      if (length > taken) {
        if (!room.take(length - taken)) return settle(overloaded());
        taken = length;
      }
      bytes.add(chunk);
    };
    const onEnd = (): void => settle(bytes.take());
    const onClose = (): void => settle(refuse("bad-request", "the body did not arrive whole"));
    incoming.on("data", onData);
    incoming.on("end", onEnd);
    incoming.on("close", onClose);
  });
}

/** The rest of such a body is not waited for: the connection ends with the answer. */
function tooLarge(bytesMax: number): Response {
  return failureResponse({
    code: "too-large",
    message: `a body here has at most ${bytesMax} bytes`,
    outcome: "refused",
    headers: { Connection: "close" },
  });
}

function overloaded(): Response {
  return failureResponse({
    code: "overloaded",
    message: "too many bytes of request bodies are being read",
    outcome: "refused",
    headers: { Connection: "close" },
  });
}
