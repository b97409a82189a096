import { Agent, request as startRequest, type IncomingHttpHeaders } from "node:http";

/** One HTTP request to one node. */
export interface Exchange {
  readonly method: "GET" | "HEAD" | "PUT" | "PATCH" | "DELETE" | "POST";
  /** Path and query, sent as they are: nothing is normalised. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** A node's whole answer. */
export interface Reply {
  readonly node: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Why there is no answer: `refused`, the request surely did not reach the node; `broken` and
 * `timeout`, it perhaps did.
 */
export interface NoReply {
  readonly node: URL;
  readonly reason: "refused" | "broken" | "timeout";
  readonly message: string;
}

export type ExchangeResult =
  | { readonly ok: true; readonly reply: Reply }
  | ({ readonly ok: false } & NoReply);

/** Kept-alive connections, shared by all exchanges of a command. */
export function newAgent(): Agent {
  return new Agent({ keepAlive: true, scheduling: "lifo", maxFreeSockets: 256 });
}

const refusals = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** Sends one request; settles once, at `timeoutMs` at the latest, and never throws. */
export function exchange(
  agent: Agent,
  node: URL,
  { method, path, headers, body }: Exchange,
  timeoutMs: number,
): Promise<ExchangeResult> {
  return new Promise((settle) => {
    const fail = (reason: NoReply["reason"], message: string): void =>
      settle({ ok: false, node, reason, message });
    const request = startRequest({
      agent,
      host: node.hostname.replace(/^\[|\]$/gu, ""),
      port: node.port === "" ? 80 : node.port,
      method,
      path,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { "content-length": body.length }),
      },
    });
    const timer = setTimeout(() => {
      fail("timeout", `no answer within ${Math.round(timeoutMs)} ms`);
      request.destroy();
    }, timeoutMs);
    request.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      fail(
        refusals.has(error.code ?? "") ? "refused" : "broken",
        error.message || String(error.code),
      );
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => fail("broken", error.message));
      response.on("close", () => {
        clearTimeout(timer);
        if (!response.complete) return fail("broken", "the connection closed within the answer");
        const whole = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
        const status = response.statusCode ?? 0;
        settle({ ok: true, reply: { node, status, headers: response.headers, body: whole } });
      });
    });
    request.end(body);
  });
}
