import { type Socket, connect } from "node:net";
import { performance } from "node:perf_hooks";
import { Latencies } from "./latencies.ts";

/** Makes the request to send next; called once per operation. */
export type NextRequest = () => Buffer;

export interface HttpLoad {
  /** `host:port` of each door; connections are spread over them evenly. */
  readonly doors: readonly string[];
  /** Requests in flight: one per connection, the next when the answer is there. */
  readonly inFlight: number;
  readonly seconds: number;
  readonly next: NextRequest;
  /** A status of 400 or more that is no failure. */
  readonly expectedStatus?: number;
}

export interface LoadResult {
  readonly operations: number;
  readonly failures: number;
  readonly seconds: number;
  readonly latencies: Latencies;
}

/**
 * A closed loop over keep-alive connections, on raw sockets: an HTTP library would cost more CPU
 * than the servers under test, on the same two cores.
 */
export async function runHttpLoad(load: HttpLoad): Promise<LoadResult> {
  const latencies = new Latencies();
  const started = performance.now();
  const end = started + load.seconds * 1000;
  let failures = 0;
  const runs = Array.from({ length: load.inFlight }, async (_, index) => {
    const door = load.doors[index % load.doors.length] as string;
    const connection = await openConnection(door);
    while (performance.now() < end) {
      const sent = performance.now();
      const status = await connection.exchange(load.next());
      latencies.add(performance.now() - sent);
      if (status >= 400 && status !== load.expectedStatus) failures += 1;
    }
    connection.close();
  });
  await Promise.all(runs);
  const seconds = (performance.now() - started) / 1000;
  return { operations: latencies.count, failures, seconds, latencies };
}

interface Connection {
  exchange(request: Buffer): Promise<number>;
  close(): void;
}

async function openConnection(door: string): Promise<Connection> {
  const [host, port] = splitAddress(door);
  const socket: Socket = connect({ host, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  let received = Buffer.alloc(0);
  let settle: ((status: number) => void) | undefined;
  socket.on("data", (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = parseAnswer(received);
    if (answer === undefined) return;
    received = received.subarray(answer.length);
    settle?.(answer.status);
  });
  socket.on("close", () => settle?.(599));
  return {
    exchange: (request) =>
      new Promise((resolve) => {
        settle = resolve;
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

/** Status and length of the first complete answer in `bytes`. */
export function parseAnswer(
  bytes: Buffer,
): { readonly status: number; readonly length: number } | undefined {
  const headerEnd = bytes.indexOf("\r\n\r\n");
  if (headerEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headerEnd);
  const status = Number(head.slice(9, 12));
  if (status === 204 || status === 304) return { status, length: headerEnd + 4 };
  const body = /\r\ncontent-length: (\d+)/iu.exec(head)?.[1];
  if (body !== undefined) {
    const length = headerEnd + 4 + Number(body);
    return bytes.length >= length ? { status, length } : undefined;
  }
  if (!/\r\ntransfer-encoding: chunked/iu.test(head)) return { status, length: headerEnd + 4 };
  const last = bytes.indexOf("0\r\n\r\n", headerEnd + 4, "latin1");
  return last < 0 ? undefined : { status, length: last + 5 };
}

/** `host:port` taken apart. */
function splitAddress(address: string): [host: string, port: number] {
  const colon = address.lastIndexOf(":");
  return [address.slice(0, colon), Number(address.slice(colon + 1))];
}
