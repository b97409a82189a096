import { type HttpAnswer, HttpClient } from "./http-client.ts";

/** What a node answered to a read. */
export interface ReadAnswer {
  readonly answer: HttpAnswer;
  /** `undefined` if the read failed. */
  readonly values: readonly string[] | undefined;
  readonly context: string | undefined;
}

const asJson = { accept: "application/json" };

/** The path of a key in the default bucket. */
function pathOf(key: string): string {
  return `/v1/buckets/default/keys/${encodeURIComponent(key)}`;
}

/** The context that an answer carries, if any. */
export function contextOf({ headers }: HttpAnswer): string | undefined {
  const context = headers["coterie-context"];
  return typeof context === "string" ? context : undefined;
}

function sent(context: string | undefined): Record<string, string> {
  return context === undefined ? {} : { "coterie-context": context };
}

/** Keys and values as texts, over HTTP to a door of one's choice. */
export class KvClient {
  readonly #http = new HttpClient();

  put(door: string, key: string, value: string, context?: string): Promise<HttpAnswer> {
    const headers = { "content-type": "text/plain", ...sent(context) };
    return this.#http.send(door, "PUT", pathOf(key), { headers, body: value });
  }

  delete(door: string, key: string, context?: string): Promise<HttpAnswer> {
    return this.#http.send(door, "DELETE", pathOf(key), { headers: sent(context) });
  }

  get(door: string, key: string): Promise<ReadAnswer> {
    return this.#read(door, pathOf(key));
  }

  /** The node's own copy. */
  getReplica(door: string, key: string): Promise<ReadAnswer> {
    return this.#read(door, `/v1/replica/default/${encodeURIComponent(key)}`);
  }

  /** The nodes that are to hold a copy. */
  async getHolders(door: string, key: string): Promise<readonly string[]> {
    const path = `/v1/explain/default/${encodeURIComponent(key)}`;
    const { body } = await this.#http.send(door, "GET", path, { headers: asJson });
    const { n, preferenceList } = JSON.parse(body.toString()) as ExplainBody;
    return preferenceList.slice(0, n);
  }

  close(): void {
    this.#http.close();
  }

  async #read(door: string, path: string): Promise<ReadAnswer> {
    const answer = await this.#http.send(door, "GET", path, { headers: asJson });
    if (![200, 300, 404].includes(answer.status)) {
      return { answer, values: undefined, context: undefined };
    }
    const context = contextOf(answer);
    if (answer.status === 404) return { answer, values: [], context };
    const body: SiblingsBody = JSON.parse(answer.body.toString());
    const values = body.siblings.map(({ value }) => Buffer.from(value, "base64").toString());
    return { answer, values, context: body.context ?? context };
  }
}

interface ExplainBody {
  readonly n: number;
  readonly preferenceList: readonly string[];
}

interface SiblingsBody {
  readonly context: string | null;
  readonly siblings: readonly { readonly value: string }[];
}
