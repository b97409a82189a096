import { type Driver, type DriverInput, type Settle, addressesOf } from "./driver.ts";
import { Lanes } from "./lanes.ts";
import { type RespAnswers, type RespValue, parseResp } from "./resp-answers.ts";

/** WAIT for one replica, at most a second. */
const wait = "*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$4\r\n1000\r\n";

/**
 * Redis over raw sockets, one for each call in flight, since WAIT holds up those behind it. A write
 * is SET and WAIT in one message; it failed if no replica had it in time.
 */
export class RedisDriver implements Driver {
  readonly usesContexts = false;
  /** One answer per request, and two. */
  readonly #reads: Lanes<RespAnswers>;
  readonly #writes: Lanes<RespAnswers>;

  private constructor(reads: Lanes<RespAnswers>, writes: Lanes<RespAnswers>) {
    this.#reads = reads;
    this.#writes = writes;
  }

  static async open({ addresses, connections }: DriverInput): Promise<RedisDriver> {
    const servers = addressesOf(addresses, "redis").slice(0, 1);
    return new RedisDriver(
      await Lanes.open(servers, connections, (bytes) => parseResp(bytes, 1)),
      await Lanes.open(servers, connections, (bytes) => parseResp(bytes, 2)),
    );
  }

  get(key: string, settle: Settle): void {
    this.#read(`*2\r\n$3\r\nGET\r\n${bulk(key)}`, settle, (value) =>
      settle({ error: undefined, valueBytes: value.kind === "bulk" ? value.bytes : undefined }),
    );
  }

  put(key: string, value: Buffer, _context: string | undefined, settle: Settle): void {
    const head = `*3\r\n$3\r\nSET\r\n${bulk(key)}$${value.length}\r\n`;
    const request = [Buffer.from(head, "latin1"), value, Buffer.from(`\r\n${wait}`, "latin1")];
    this.#writes.send(request, (answers) => {
      const [stored, replicas] = answers?.values ?? [];
      if (stored === undefined || replicas === undefined) {
        return settle({ error: "connection-lost" });
      }
      if (stored.kind === "error") return settle({ error: kindOf(stored) });
      settle({ error: Number(replicas.text) >= 1 ? undefined : "not-replicated" });
    });
  }

  scan(cursor: string, limit: number, settle: Settle): void {
    const words = ["SCAN", cursor === "" ? "0" : cursor, "COUNT", String(limit)];
    this.#read(`*4\r\n${words.map(bulk).join("")}`, settle, ({ items }) => {
      const next = items[0]?.text ?? "0";
      settle({
        error: undefined,
        cursor: next === "0" ? "" : next,
        keys: items[1]?.items.length ?? 0,
      });
    });
  }

  close(): Promise<void> {
    this.#reads.close();
    this.#writes.close();
    return Promise.resolve();
  }

  #read(request: string, settle: Settle, onValue: (value: RespValue) => void): void {
    this.#reads.send([Buffer.from(request, "latin1")], (answers) => {
      const [value] = answers?.values ?? [];
      if (value === undefined) settle({ error: "connection-lost" });
      else if (value.kind === "error") settle({ error: kindOf(value) });
      else onValue(value);
    });
  }
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** The first word of an error names its kind. */
function kindOf({ text }: RespValue): string {
  return text.split(" ")[0] ?? text;
}
