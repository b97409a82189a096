import type { Clock } from "@coterie/ports";
import { clientMethods } from "@coterie/protocol";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { InnerServers } from "../../adapters/grpc-js/inner-servers.ts";
import { withPort } from "../../config/addresses.ts";
import { ByteBudget } from "../byte-budget.ts";
import { describeCluster } from "./describe-cluster.ts";
import { shuttingDown, starting, statusOf } from "./failures.ts";
import { type GrpcDoorOptions, serverOptions } from "./grpc-options.ts";
import { type GrpcStatistics, newGrpcStatistics } from "./grpc-statistics.ts";
import { HealthService } from "./health-service.ts";
import { type KvBackend, KvService } from "./kv-service.ts";
import { PipeStream } from "./pipe-stream.ts";
import { rawMethod } from "./raw-methods.ts";
import { reflectionHandler, reflectionMethods } from "./reflection-service.ts";
import { serveScan } from "./scan-call.ts";
import { UnaryCalls } from "./unary-calls.ts";

export type GrpcListenOutcome =
  | { readonly ok: true; readonly door: GrpcDoor }
  | { readonly ok: false; readonly message: string };

/** How long the last connections may take to end in order. */
const closeMsMax = 500;

/** Opens the door; before {@link GrpcDoor.serve}, requests are answered with not-ready. */
export function listenGrpc(
  address: string,
  clock: Clock,
  options: GrpcDoorOptions,
): Promise<GrpcListenOutcome> {
  const server = new Server(serverOptions(options));
  return new Promise((resolve) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) {
        const bound = withPort(address, port);
        resolve({ ok: true, door: new GrpcDoor({ server, address: bound, clock, options }) });
      } else {
        server.forceShutdown();
        resolve({ ok: false, message: error.message });
      }
    });
  });
}

interface GrpcDoorInput {
  readonly server: Server;
  readonly address: string;
  readonly clock: Clock;
  readonly options: GrpcDoorOptions;
}

/** The gRPC door (docs/guide/grpc.md), listening. */
export class GrpcDoor {
  /** `host:port`, with the port the system chose if 0 was asked for. */
  readonly address: string;
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #options: GrpcDoorOptions;
  readonly #inner: InnerServers;
  readonly #service: KvService;
  readonly #health: HealthService;
  readonly #unread: ByteBudget;
  readonly #pipes = new Set<PipeStream>();
  readonly #statistics: GrpcStatistics = newGrpcStatistics();

  constructor({ server, address, clock, options }: GrpcDoorInput) {
    this.address = address;
    this.#server = server;
    this.#clock = clock;
    this.#options = options;
    this.#service = new KvService(options.valueBytesMax);
    this.#unread = new ByteBudget(options.unreadBytesMax);
    this.#health = new HealthService(clock, () => this.#service.node?.missing().length === 0);
    this.#inner = new InnerServers(server);
    this.#inner.raiseWindow(options.receiveWindowBytes);
    this.#inner.limitConnections(options.connectionsMax);
    this.#inner.cancelSilent(options.silenceMs, mayIdle);
    this.#addServices();
  }

  /** Answers by what is behind the door from now on. */
  serve(backend: KvBackend): void {
    this.#service.serve(backend);
  }

  /** Open now. */
  get connections(): number {
    return this.#inner.connections;
  }

  get statistics(): Readonly<GrpcStatistics> {
    const [pipes, bytesUnread] = [this.#pipes.size, this.#unread.bytes];
    return { ...this.#statistics, pipes, bytesUnread };
  }

  /**
   * Refuses what is new, answers what is in flight, and ends every stream and connection; after
   * `graceMs` those that are left are cut.
   */
  async close(graceMs: number): Promise<void> {
    const answered = this.#service.close();
    for (const pipe of this.#pipes) pipe.drain();
    this.#health.close();
    await this.#within(graceMs, (done) => void answered.then(done));
    // An orderly shutdown waits for streams that clients keep open.
    await this.#within(closeMsMax, (done) => this.#server.tryShutdown(() => done()));
    this.#inner.destroyConnections();
    this.#server.forceShutdown();
  }

  /** Resolves when `work` is done, or after `ms`. */
  #within(ms: number, work: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.at(this.#clock.monotonicMs() + ms, resolve);
      work(() => {
        cancel();
        resolve();
      });
    });
  }

  #addServices(): void {
    const calls = new UnaryCalls(this.#service, this.#clock, this.#unread);
    this.#add(
      {
        ...UnaryCalls.methods,
        Scan: rawMethod(clientMethods.scan, "server-stream"),
        Pipe: rawMethod(clientMethods.pipe, "bidi-stream"),
      },
      {
        ...calls.handlers,
        Scan: (call: ServerWritableStream<Uint8Array, Uint8Array>) =>
          serveScan(this.#service, this.#clock, call),
        Pipe: (call: ServerDuplexStream<Uint8Array, Uint8Array>) => this.#servePipe(call),
      },
    );
    this.#add(
      { Describe: rawMethod(clientMethods.describe, "unary") },
      {
        Describe: (
          _call: ServerUnaryCall<Uint8Array, Uint8Array>,
          callback: sendUnaryData<Uint8Array>,
        ) => this.#describe(callback),
      },
    );
    this.#add(HealthService.methods, this.#health.handlers);
    for (const version of ["v1", "v1alpha"] as const) {
      this.#add(reflectionMethods(version), { ServerReflectionInfo: reflectionHandler(version) });
    }
  }

  #add(
    methods: Parameters<Server["addService"]>[0],
    handlers: Readonly<Record<string, unknown>>,
  ): void {
    this.#server.addService(methods, handlers as UntypedServiceImplementation);
  }

  #servePipe(call: ServerDuplexStream<Uint8Array, Uint8Array>): void {
    const stream = new PipeStream({
      call,
      clock: this.#clock,
      options: this.#options,
      service: this.#service,
      statistics: this.#statistics,
      unread: this.#unread,
      onOver: (over) => this.#pipes.delete(over),
    });
    this.#pipes.add(stream);
    if (this.#service.isClosing) stream.drain();
  }

  #describe(callback: sendUnaryData<Uint8Array>): void {
    const { node } = this.#service;
    const description = node === undefined ? undefined : describeCluster(node, this.address);
    if (description !== undefined) callback(null, description);
    else callback(statusOf(this.#service.isClosing ? shuttingDown : starting));
  }
}

/** Pipes and watches are kept open while nothing happens; so may a tool that reflects. */
function mayIdle(path: string): boolean {
  return (
    path === clientMethods.pipe ||
    path === HealthService.watchPath ||
    path.endsWith("/ServerReflectionInfo")
  );
}
