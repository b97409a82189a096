import { type Driver, type DriverInput, type Settle, addressesOf } from "../drivers/driver.ts";
import { Lanes } from "../drivers/lanes.ts";
import { type RespAnswers, type RespValue, parseResp } from "../drivers/resp-answers.ts";

/** Coterie's door for Redis clients: SET and GET as they are, one at a time on a connection. */
export class CoterieRespDriver implements Pick<Driver, "get" | "put" | "close"> {
  readonly #lanes: Lanes<RespAnswers>;

  private constructor(lanes: Lanes<RespAnswers>) {
    this.#lanes = lanes;
  }

  static async open({ addresses, connections }: DriverInput): Promise<CoterieRespDriver> {
    const doors = addressesOf(addresses, "resp");
    return new CoterieRespDriver(
      await Lanes.open(doors, connections, (bytes) => parseResp(bytes, 1)),
    );
  }

  get(key: string, settle: Settle): void {
    this.#send(["GET", key], (value) => settle({ error: errorOf(value) }));
  }

  put(key: string, value: Buffer, _context: string | undefined, settle: Settle): void {
    this.#send(["SET", key, value.toString("latin1")], (answer) =>
      settle({ error: errorOf(answer) }),
    );
  }

  close(): Promise<void> {
    this.#lanes.close();
    return Promise.resolve();
  }

  #send(words: readonly string[], settle: (answer: RespValue | undefined) => void): void {
    const parts = words.map((word) => `$${word.length}\r\n${word}\r\n`);
    const request = Buffer.from(`*${words.length}\r\n${parts.join("")}`, "latin1");
    this.#lanes.send([request], (answers) => settle(answers?.values[0]));
  }
}

function errorOf(answer: RespValue | undefined): string | undefined {
  if (answer === undefined) return "connection-lost";
  return answer.kind === "error" ? (answer.text.split(" ")[0] ?? "error") : undefined;
}
