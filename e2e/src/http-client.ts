import { Agent, request } from "node:http";

export interface HttpAnswer {
  /** 0 when there was no answer: connection refused, reset, or out of time. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The code of the error, such as ECONNRESET, when there was no answer. */
  readonly error: string | undefined;
}

/** A plain HTTP client for tests: keep-alive, a deadline on everything, never an exception. */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });

  send(
    door: string,
    method: string,
    path: string,
    options: { readonly body?: Buffer | string; readonly headers?: Record<string, string> } = {},
  ): Promise<HttpAnswer> {
    return new Promise((resolve) => {
      const fail = (error: Error & { readonly code?: string }): void =>
        resolve({
          status: 0,
          headers: {},
          body: Buffer.alloc(0),
          error: error.code ?? error.message,
        });
      const outgoing = request(
        `http://${door}${path}`,
        { method, agent: this.#agent, headers: options.headers ?? {}, timeout: 20_000 },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("error", fail);
          incoming.on("end", () => {
            const { statusCode = 0, headers } = incoming;
            resolve({ status: statusCode, headers, body: Buffer.concat(chunks), error: undefined });
          });
        },
      );
      outgoing.on("timeout", () => outgoing.destroy(new Error("timeout")));
      outgoing.on("error", fail);
      outgoing.end(options.body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
