import { Agent, request } from "node:http";

export interface HttpAnswer {
  /** 0 when there was no answer: connection refused, reset, or out of time. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
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
      const nothing = { status: 0, headers: {}, body: Buffer.alloc(0) };
      const outgoing = request(
        `http://${door}${path}`,
        { method, agent: this.#agent, headers: options.headers ?? {}, timeout: 20_000 },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("error", () => resolve(nothing));
          incoming.on("end", () => {
            const { statusCode = 0, headers } = incoming;
            resolve({ status: statusCode, headers, body: Buffer.concat(chunks) });
          });
        },
      );
      outgoing.on("timeout", () => outgoing.destroy());
      outgoing.on("error", () => resolve(nothing));
      outgoing.end(options.body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
