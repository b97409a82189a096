import { fileURLToPath } from "node:url";
import {
  type Client,
  type ServiceClientConstructor,
  type ServiceError,
  credentials,
  loadPackageDefinition,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

type Callback<Reply> = (error: ServiceError | null, reply?: Reply) => void;

interface Call<Request, Reply> {
  (request: Request, options: { readonly deadline: number }, callback: Callback<Reply>): unknown;
}

export interface KeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** etcd's KV service. */
export interface EtcdKv extends Client {
  range: Call<
    {
      readonly key: Buffer;
      readonly range_end?: Buffer;
      readonly limit?: number;
      readonly keys_only?: boolean;
    },
    { readonly kvs: readonly KeyValue[]; readonly more: boolean }
  >;
  put: Call<{ readonly key: Buffer; readonly value: Buffer }, object>;
}

/** etcd's maintenance service. */
export interface EtcdMaintenance extends Client {
  status: Call<object, { readonly leader: string }>;
}

interface Services {
  readonly etcdserverpb: {
    readonly KV: ServiceClientConstructor;
    readonly Maintenance: ServiceClientConstructor;
  };
}

function services(): Services["etcdserverpb"] {
  const file = fileURLToPath(new URL("../../proto/etcd.proto", import.meta.url));
  const definition = loadSync(file, { keepCase: true, longs: String });
  return (loadPackageDefinition(definition) as unknown as Services).etcdserverpb;
}

/** One connection, whoever else connects to the same address. */
const channelOptions = {
  "grpc.use_local_subchannel_pool": 1,
  "grpc.max_receive_message_length": 64 * 1024 * 1024,
};

/** A connection to one member's KV service. */
export function etcdKv(address: string): EtcdKv {
  const { KV } = services();
  return new KV(address, credentials.createInsecure(), channelOptions) as unknown as EtcdKv;
}

/** A connection to one member's maintenance service. */
export function etcdMaintenance(address: string): EtcdMaintenance {
  const { Maintenance } = services();
  const client = new Maintenance(address, credentials.createInsecure(), channelOptions);
  return client as unknown as EtcdMaintenance;
}
