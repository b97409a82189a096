import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import { failureResponse, refuse } from "./responses.ts";
import type { RequestFacts } from "./request-facts.ts";

/** Bytes of request bodies being read, all connections together. */
export class BodyBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** Reads a request's body, whole, within the limits: over them nothing is kept or waited for. */
export async function readBody(
  context: Context,
  facts: RequestFacts,
  bytesMax: number,
  budget: BodyBudget,
): Promise<Uint8Array | Response> {
  const encoding = facts.header("content-encoding");
  if (encoding !== undefined && encoding !== "identity") {
    return failureResponse({
      code: "bad-request",
      status: 415,
      message: `values are stored as they come; Content-Encoding ${encoding} is not understood`,
      outcome: "refused",
    });
  }
  const announced = Number(facts.header("content-length") ?? 0);
  if (announced > bytesMax) return tooLarge(facts, bytesMax);
  if (facts.incoming === undefined) {
    const bytes = new Uint8Array(await context.req.arrayBuffer());
    return bytes.length > bytesMax ? tooLarge(facts, bytesMax) : bytes;
  }
  return readIncoming(facts.incoming, facts, { bytesMax, announced, budget });
}

function readIncoming(
  incoming: IncomingMessage,
  facts: RequestFacts,
  { bytesMax, announced, budget }: { bytesMax: number; announced: number; budget: BodyBudget },
): Promise<Uint8Array | Response> {
  let taken = announced;
  if (!budget.take(taken)) {
    return Promise.resolve(refuse("overloaded", "too many request bodies are being read"));
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (result: Uint8Array | Response): void => {
      budget.give(taken);
      taken = 0;
      incoming.off("data", onData);
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > bytesMax) return finish(tooLarge(facts, bytesMax));
      if (length > taken) {
        if (!budget.take(chunk.length)) {
          return finish(refuse("overloaded", "too many request bodies are being read"));
        }
        taken += chunk.length;
      }
      chunks.push(chunk);
    };
    incoming.on("data", onData);
    // One chunk may be a view of a larger buffer, so it is copied into memory of its own.
    incoming.once("end", () => finish(new Uint8Array(Buffer.concat(chunks, length))));
    incoming.once("error", () => finish(refuse("bad-request", "the body was not sent to its end")));
    incoming.once("close", () => finish(refuse("bad-request", "the body was not sent to its end")));
  });
}

/** The rest of such a body is not read: the connection ends with the answer. */
function tooLarge(facts: RequestFacts, bytesMax: number): Response {
  facts.incoming?.pause();
  return failureResponse({
    code: "too-large",
    message: `a value has at most ${bytesMax} bytes`,
    outcome: "refused",
    headers: { Connection: "close" },
  });
}
