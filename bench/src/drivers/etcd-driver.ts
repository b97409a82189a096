import { type ServiceError, status } from "@grpc/grpc-js";
import { type Driver, type DriverInput, type Settle, addressesOf } from "./driver.ts";
import { type EtcdKv, etcdKv } from "./etcd-calls.ts";

const callMs = 10_000;
/** Connections to each member, as its own benchmark has them, calls taking turns. */
const connectionsPerMember = 4;

/** etcd over unary calls, spread over all members. Reads are linearizable, its default. */
export class EtcdDriver implements Driver {
  readonly usesContexts = false;
  readonly #clients: readonly EtcdKv[];
  #turn = 0;

  private constructor(clients: readonly EtcdKv[]) {
    this.#clients = clients;
  }

  static open({ addresses, connections }: DriverInput): Promise<EtcdDriver> {
    const members = addressesOf(addresses, "etcd");
    const count = Math.min(connectionsPerMember, Math.ceil(connections / members.length));
    return Promise.resolve(
      new EtcdDriver(
        members.flatMap((member) => Array.from({ length: count }, () => etcdKv(member))),
      ),
    );
  }

  get(key: string, settle: Settle): void {
    this.#next().range({ key: Buffer.from(key, "latin1") }, deadline(), (error, reply) => {
      settle({ error: kindOf(error), valueBytes: reply?.kvs?.[0]?.value.length });
    });
  }

  put(key: string, value: Buffer, _context: string | undefined, settle: Settle): void {
    this.#next().put({ key: Buffer.from(key, "latin1"), value }, deadline(), (error) => {
      settle({ error: kindOf(error) });
    });
  }

  scan(cursor: string, limit: number, settle: Settle): void {
    const request = {
      // A range from \0 to \0 is all keys; one from a key goes on behind it.
      key: cursor === "" ? Buffer.from([0]) : Buffer.from(`${cursor}\0`, "latin1"),
      range_end: Buffer.from([0]),
      limit,
      keys_only: true,
    };
    this.#next().range(request, deadline(), (error, reply) => {
      const last = reply?.more === true ? reply.kvs.at(-1)?.key.toString("latin1") : "";
      settle({ error: kindOf(error), cursor: last ?? "", keys: reply?.kvs?.length ?? 0 });
    });
  }

  close(): Promise<void> {
    for (const client of this.#clients) client.close();
    return Promise.resolve();
  }

  #next(): EtcdKv {
    this.#turn += 1;
    return this.#clients[this.#turn % this.#clients.length] as EtcdKv;
  }
}

function deadline(): { readonly deadline: number } {
  return { deadline: Date.now() + callMs };
}

function kindOf(error: ServiceError | null): string | undefined {
  return error === null ? undefined : status[error.code];
}
