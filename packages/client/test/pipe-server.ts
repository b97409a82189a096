import {
  PipeReplyBatch,
  clientMethods,
  decodePipeRequests,
  encodeClusterDescription,
} from "@coterie/protocol";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { FakeStore } from "../src/testing/fake-store.ts";
import { failure } from "../src/testing/fake-store.ts";

type Pipe = ServerDuplexStream<Buffer, Buffer>;

const identity = (message: Buffer): Buffer => message;
const acks = { primaries: 3, fallbacks: 0, required: 2 };

/** A node's client door over real sockets, with a store in memory behind it. */
export class PipeServer {
  readonly pipes = new Set<Pipe>();
  messages = 0;
  requests = 0;
  /** Answers with this, once, in place of an answer. */
  garbage: Buffer | undefined;
  /** Reads requests and answers none. */
  isMute = false;
  #address = "";
  readonly #server = new Server();
  readonly #store = new FakeStore(["default"]);

  static async start(): Promise<PipeServer> {
    const server = new PipeServer();
    await server.#listen();
    return server;
  }

  get address(): string {
    return this.#address;
  }

  /** As a killed process would: connections break, and nobody listens. */
  stop(): void {
    this.#server.forceShutdown();
  }

  async #listen(): Promise<void> {
    const unary = { requestStream: false, responseStream: false };
    const bytes = {
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    };
    this.#server.addService(
      {
        Pipe: { path: clientMethods.pipe, requestStream: true, responseStream: true, ...bytes },
        Describe: { path: clientMethods.describe, ...unary, ...bytes },
      },
      {
        Pipe: (call: Pipe) => this.#serve(call),
        Describe: (_call: unknown, answer: sendUnaryData<Buffer>) =>
          answer(null, Buffer.from(this.#describe())),
      },
    );
    const port = await new Promise<number>((resolve, reject) =>
      this.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    this.#address = `127.0.0.1:${port}`;
  }

  #serve(call: Pipe): void {
    this.pipes.add(call);
    call.on("error", () => {});
    call.on("close", () => this.pipes.delete(call));
    call.on("end", () => call.end());
    call.on("data", (message: Buffer) => {
      this.messages += 1;
      const { garbage } = this;
      const decoded = decodePipeRequests(message);
      const requests = decoded.ok ? decoded.requests : [];
      if (garbage !== undefined && requests.length > 0) {
        this.garbage = undefined;
        call.write(garbage);
        return;
      }
      if (this.isMute && requests.length > 0) return;
      const batch = new PipeReplyBatch();
      for (const { id, request } of requests) {
        this.requests += 1;
        if (request === undefined) batch.add(id, failure("bad-request", "malformed", acks));
        else if (request.kind !== "cancel") {
          const input = { actor: "00000000000000aa" as never, wallMs: Date.now(), acks };
          batch.add(id, this.#store.handle(request, input));
        }
      }
      call.write(Buffer.from(batch.take()));
    });
  }

  #describe(): Uint8Array {
    return encodeClusterDescription({
      epoch: 1,
      node: "n1",
      members: [{ id: "n1", grpc: this.#address, http: "", host: "", zone: "" }],
      buckets: [{ name: "default", policy: "siblings", n: 1, r: 1, w: 1, pr: 0, pw: 0 }],
      partitions: Array.from({ length: 8 }, () => [0]),
      hash: "",
    });
  }
}
