import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

interface FakeSibling {
  readonly dot: number;
  readonly value: Buffer;
  readonly contentType: string;
}

interface FakeRecord {
  /** Dots seen: the key's clock. */
  readonly clock: Set<number>;
  siblings: FakeSibling[];
  readonly writeIds: Set<string>;
}

/** A request as the fake met it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

/**
 * The HTTP door of one node with a map behind it, as far as the commands need it: what a command
 * does on failures, siblings and interruptions is easier to provoke here than in a real cluster.
 */
export class FakeNode {
  readonly records = new Map<string, FakeRecord>();
  readonly requests: SeenRequest[] = [];
  /** Answers a request in place of the store: a status and a body, or nothing. */
  intercept: (request: SeenRequest) => { status: number; body: unknown } | "hang" | undefined =
    () => undefined;
  clusterId = "0123456789abcdef0123456789abcdef";
  #dots = 0;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  static async start(): Promise<FakeNode> {
    const node = new FakeNode();
    await new Promise<void>((resolve) => node.#server.listen(0, "127.0.0.1", resolve));
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get writes(): number {
    return this.requests.filter(({ method }) => method === "PUT" || method === "DELETE").length;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const seen = {
      method: request.method ?? "",
      url: request.url ?? "",
      headers: request.headers,
    };
    this.requests.push(seen);
    const instead = this.intercept(seen);
    if (instead === "hang") return;
    if (instead !== undefined) return sendJson(response, instead.status, instead.body);
    const [path = "", query = ""] = seen.url.split("?");
    if (path === "/v1/cluster") return sendJson(response, 200, { clusterId: this.clusterId });
    const bucket = /^\/v1\/buckets\/([^/]+)$/u.exec(path)?.[1];
    if (bucket !== undefined) return sendJson(response, 200, { name: bucket, ttlMs: undefined });
    const match = /^\/v1\/buckets\/([^/]+)\/keys(?:\/(.*))?$/u.exec(path);
    if (match === null) return sendJson(response, 404, { code: "not-found", message: "no route" });
    if (match[2] === undefined) return this.#scan(response, new URLSearchParams(query));
    const key = percentDecode(match[2]).toString("latin1");
    if (seen.method === "PUT" || seen.method === "DELETE") {
      return this.#write(key, seen, body, response);
    }
    return this.#read(key, seen, response);
  }

  #read(key: string, { method, headers }: SeenRequest, response: ServerResponse): void {
    const record = this.records.get(key);
    if (record !== undefined) response.setHeader("coterie-context", contextOf(record));
    const siblings = record?.siblings ?? [];
    const [first] = siblings;
    if (first === undefined) {
      return sendJson(response, 404, { code: "not-found", message: "nothing there" });
    }
    const status = siblings.length === 1 ? 200 : 300;
    if (headers.accept === "application/json" && record !== undefined) {
      return sendJson(response, status, {
        context: contextOf(record),
        siblings: siblings.map(({ dot, value, contentType }) => ({
          value: value.toString("base64"),
          contentType,
          dot: String(dot),
          writtenAt: "2026-01-01T00:00:00.000Z",
          expiresAt: null,
        })),
      });
    }
    response.writeHead(status, { "content-type": status === 200 ? first.contentType : "x/y" });
    response.end(method === "HEAD" || status === 300 ? undefined : first.value);
  }

  #write(key: string, seen: SeenRequest, value: Buffer, response: ServerResponse): void {
    const record = this.records.get(key) ?? { clock: new Set(), siblings: [], writeIds: new Set() };
    this.records.set(key, record);
    const writeId = String(seen.headers["coterie-write-id"]);
    if (!record.writeIds.has(writeId)) {
      record.writeIds.add(writeId);
      const context = seen.headers["coterie-context"];
      const covered = new Set(
        typeof context === "string"
          ? Buffer.from(context, "base64url").toString().split(",").map(Number)
          : seen.method === "DELETE"
            ? record.clock
            : [],
      );
      record.siblings = record.siblings.filter(({ dot }) => !covered.has(dot));
      if (seen.method === "PUT") {
        this.#dots += 1;
        record.clock.add(this.#dots);
        const contentType = seen.headers["content-type"] ?? "application/octet-stream";
        record.siblings.push({ dot: this.#dots, value, contentType });
      }
    }
    if (record.siblings.length <= 1) response.setHeader("coterie-context", contextOf(record));
    response.setHeader("coterie-siblings", record.siblings.length);
    response.setHeader("coterie-acks", "primaries=1; fallbacks=0; w=1");
    response.writeHead(204).end();
  }

  #scan(response: ServerResponse, query: URLSearchParams): void {
    const limit = Number(query.get("limit") ?? 100);
    const start = Number(query.get("cursor") ?? 0);
    const keys = [...this.records.keys()]
      .filter((key) => {
        const count = this.records.get(key)?.siblings.length ?? 0;
        return count > 0 || query.get("tombstones") === "true";
      })
      .toSorted();
    const lines = keys.slice(start, start + limit).map((key) => ({
      key: Buffer.from(key, "latin1").toString("base64url"),
      siblings: this.records.get(key)?.siblings.length ?? 0,
    }));
    const cursor = start + limit < keys.length ? String(start + limit) : null;
    response.end([...lines, { cursor }].map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
}

function contextOf({ clock }: FakeRecord): string {
  return Buffer.from([...clock].join(",")).toString("base64url");
}

function percentDecode(segment: string): Buffer {
  const parts = segment.split(/(%[0-9A-Fa-f]{2})/u);
  return Buffer.concat(
    parts.map((part) =>
      part.startsWith("%") ? Buffer.from(part.slice(1), "hex") : Buffer.from(part, "latin1"),
    ),
  );
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}
