import { type KV, type NatsConnection, connect } from "nats";
import { type Driver, type DriverInput, type Settle, addressesOf } from "./driver.ts";

/** The bucket that the bench uses. */
export const natsBucket = "bench";
const callMs = 10_000;

/** NATS JetStream's key-value store, over one connection to each server. */
export class NatsDriver implements Driver {
  readonly usesContexts = false;
  readonly #connections: readonly NatsConnection[];
  readonly #buckets: readonly KV[];
  #turn = 0;

  private constructor(connections: readonly NatsConnection[], buckets: readonly KV[]) {
    this.#connections = connections;
    this.#buckets = buckets;
  }

  static async open({ addresses }: DriverInput): Promise<NatsDriver> {
    const servers = addressesOf(addresses, "nats");
    const connections = await Promise.all(
      servers.map((server) => connect({ servers: server, reconnect: false })),
    );
    const buckets = await Promise.all(
      connections.map((connection) =>
        connection.jetstream({ timeout: callMs }).views.kv(natsBucket, { bindOnly: true }),
      ),
    );
    return new NatsDriver(connections, buckets);
  }

  get(key: string, settle: Settle): void {
    this.#next()
      .get(key)
      .then(
        (entry) => settle({ error: undefined, valueBytes: entry?.value.length }),
        (error: unknown) => settle({ error: kindOf(error) }),
      );
  }

  put(key: string, value: Buffer, _context: string | undefined, settle: Settle): void {
    this.#next()
      .put(key, value)
      .then(
        () => settle({ error: undefined }),
        (error: unknown) => settle({ error: kindOf(error) }),
      );
  }

  scan(_cursor: string, _limit: number, settle: Settle): void {
    setImmediate(() => settle({ error: "not-supported" }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  #next(): KV {
    this.#turn += 1;
    return this.#buckets[this.#turn % this.#buckets.length] as KV;
  }
}

function kindOf(error: unknown): string {
  const { code, name } = error as { readonly code?: string; readonly name: string };
  return code ?? name;
}
