import { type Driver, type DriverInput, type Settle, addressesOf } from "./driver.ts";
import { type HttpAnswer, headerOf, parseAnswer } from "./http-answer.ts";
import { Lanes } from "./lanes.ts";

/** No such bucket: its puts pass the whole door, and do nothing behind it. */
const absentBucket = "absent";

/** Coterie's HTTP door, one kept-alive connection for each call in flight. */
export class HttpDriver implements Driver {
  readonly usesContexts = true;
  readonly #lanes: Lanes<HttpAnswer>;
  readonly #keysPath: string;
  /** The status of a put that is refused as it should be. */
  readonly #refusal: number | undefined;

  private constructor(lanes: Lanes<HttpAnswer>, isDoorOnly: boolean) {
    this.#lanes = lanes;
    this.#keysPath = `/v1/buckets/${isDoorOnly ? absentBucket : "default"}/keys`;
    this.#refusal = isDoorOnly ? 404 : undefined;
  }

  static async open(input: DriverInput): Promise<HttpDriver> {
    return new HttpDriver(await openLanes(input), false);
  }

  /** The door alone: what a put costs before and after the work behind it. */
  static async openDoorOnly(input: DriverInput): Promise<HttpDriver> {
    return new HttpDriver(await openLanes(input), true);
  }

  get(key: string, settle: Settle): void {
    const head = `GET ${this.#keysPath}/${key} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    this.#lanes.send([Buffer.from(head, "latin1")], (answer) => {
      if (answer === undefined) return settle({ error: "connection-lost" });
      const { status } = answer;
      const isFound = status === 200 || status === 300;
      settle({
        error: isFound || status === 404 ? undefined : String(status),
        context: headerOf(answer.head, "coterie-context"),
        valueBytes: isFound ? answer.bodyBytes : undefined,
      });
    });
  }

  put(key: string, value: Buffer, context: string | undefined, settle: Settle): void {
    const head =
      `PUT ${this.#keysPath}/${key} HTTP/1.1\r\nHost: localhost\r\n` +
      `Content-Type: application/octet-stream\r\nContent-Length: ${value.length}\r\n` +
      (context === undefined ? "\r\n" : `Coterie-Context: ${context}\r\n\r\n`);
    this.#lanes.send([Buffer.from(head, "latin1"), value], (answer) => {
      if (answer === undefined) return settle({ error: "connection-lost" });
      const { status } = answer;
      settle({
        error: status < 300 || status === this.#refusal ? undefined : String(status),
        context: headerOf(answer.head, "coterie-context"),
      });
    });
  }

  scan(cursor: string, limit: number, settle: Settle): void {
    const from = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const head = `GET ${this.#keysPath}?limit=${limit}${from} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    this.#lanes.send([Buffer.from(head, "latin1")], (answer, bytes) => {
      if (answer === undefined) return settle({ error: "connection-lost" });
      if (answer.status !== 200) return settle({ error: String(answer.status) });
      const body = bytes.toString("latin1", answer.bodyStart, answer.length);
      const next = /\{"cursor":\s*"([^"]*)"\}/u.exec(body)?.[1] ?? "";
      settle({ error: undefined, cursor: next, keys: body.split('"context"').length - 1 });
    });
  }

  close(): Promise<void> {
    this.#lanes.close();
    return Promise.resolve();
  }
}

function openLanes({ addresses, connections }: DriverInput): Promise<Lanes<HttpAnswer>> {
  return Lanes.open(addressesOf(addresses, "http"), connections, parseAnswer);
}
