import { type Driver, type DriverInput, type Settle, addressesOf } from "./driver.ts";
import { type HttpAnswer, headerOf, parseAnswer } from "./http-answer.ts";
import { Lanes } from "./lanes.ts";

const keysPath = "/v1/buckets/default/keys";

/** Coterie's HTTP door, one kept-alive connection for each call in flight. */
export class HttpDriver implements Driver {
  readonly usesContexts = true;
  readonly #lanes: Lanes<HttpAnswer>;

  private constructor(lanes: Lanes<HttpAnswer>) {
    this.#lanes = lanes;
  }

  static async open({ addresses, connections }: DriverInput): Promise<HttpDriver> {
    const doors = addressesOf(addresses, "http");
    return new HttpDriver(await Lanes.open(doors, connections, parseAnswer));
  }

  get(key: string, settle: Settle): void {
    const head = `GET ${keysPath}/${key} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
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
      `PUT ${keysPath}/${key} HTTP/1.1\r\nHost: localhost\r\n` +
      `Content-Type: application/octet-stream\r\nContent-Length: ${value.length}\r\n` +
      (context === undefined ? "\r\n" : `Coterie-Context: ${context}\r\n\r\n`);
    this.#lanes.send([Buffer.from(head, "latin1"), value], (answer) => {
      if (answer === undefined) return settle({ error: "connection-lost" });
      settle({
        error: answer.status < 300 ? undefined : String(answer.status),
        context: headerOf(answer.head, "coterie-context"),
      });
    });
  }

  scan(cursor: string, limit: number, settle: Settle): void {
    const from = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const head = `GET ${keysPath}?limit=${limit}${from} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
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
