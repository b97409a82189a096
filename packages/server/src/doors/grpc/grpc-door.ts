import type { Clock } from "@coterie/ports";
import { clientMethods } from "@coterie/protocol";
import { type IncomingHttpHeaders, type ServerHttp2Stream, constants } from "node:http2";
import { Http2Port } from "../../adapters/http2/http2-port.ts";
import { hostOf, portOf, withPort } from "../../config/addresses.ts";
import { ByteBudget } from "../byte-budget.ts";
import { SharedRoom } from "../shared-room.ts";
import { describeCluster } from "./describe-cluster.ts";
import { shuttingDown, starting, statusOf } from "./failures.ts";
import { GrpcCall } from "./grpc-call.ts";
import { type GrpcMethod, oneRequest, streamOfRequests } from "./grpc-method.ts";
import { type GrpcDoorOptions, requestBytesMax } from "./grpc-options.ts";
import { type GrpcStatistics, newGrpcStatistics } from "./grpc-statistics.ts";
import { grpcTimeoutMs } from "./grpc-timeout.ts";
import { HealthService } from "./health-service.ts";
import { type KvBackend, KvService } from "./kv-service.ts";
import { PipeStream } from "./pipe-stream.ts";
import { reflectionMethod } from "./reflection-service.ts";
import { serveScan } from "./scan-call.ts";
import { UnaryCalls } from "./unary-calls.ts";

export type GrpcListenOutcome =
  | { readonly ok: true; readonly door: GrpcDoor }
  | { readonly ok: false; readonly message: string };

/** How long the last connections may take to end in order. */
const closeMsMax = 500;

/** Opens the door; before {@link GrpcDoor.serve}, requests are answered with not-ready. */
export async function listenGrpc(
  address: string,
  clock: Clock,
  options: GrpcDoorOptions,
): Promise<GrpcListenOutcome> {
  const door = new GrpcDoor({ clock, options });
  const outcome = await door.listen(address);
  return outcome.ok ? { ok: true, door } : outcome;
}

interface GrpcDoorInput {
  readonly clock: Clock;
  readonly options: GrpcDoorOptions;
}

/** The gRPC door (docs/guide/grpc.md): gRPC over HTTP/2, without TLS. */
export class GrpcDoor {
  readonly #clock: Clock;
  readonly #options: GrpcDoorOptions;
  readonly #port: Http2Port;
  readonly #methods: ReadonlyMap<string, GrpcMethod>;
  readonly #service: KvService;
  readonly #health: HealthService;
  readonly #unread: ByteBudget;
  readonly #begun: ByteBudget;
  /** By connection, for as long as that is there. */
  readonly #rooms = new WeakMap<object, SharedRoom>();
  readonly #pipes = new Set<PipeStream>();
  readonly #statistics: GrpcStatistics = newGrpcStatistics();
  #address = "";

  constructor({ clock, options }: GrpcDoorInput) {
    this.#clock = clock;
    this.#options = options;
    this.#service = new KvService(options.valueBytesMax);
    this.#unread = new ByteBudget(options.unreadBytesMax);
    this.#begun = new ByteBudget(options.begunBytesMax);
    this.#health = new HealthService(clock, () => this.#service.node?.missing().length === 0);
    this.#methods = this.#allMethods();
    const onStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void =>
      this.#take(stream, headers);
    this.#port = new Http2Port({ clock, options, onStream });
  }

  /** `host:port`, with the port the system chose if 0 was asked for. */
  get address(): string {
    return this.#address;
  }

  async listen(
    address: string,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly message: string }> {
    const outcome = await this.#port.listen(hostOf(address), portOf(address));
    if (!outcome.ok) return outcome;
    this.#address = withPort(address, outcome.port);
    return { ok: true };
  }

  /** Answers by what is behind the door from now on. */
  serve(backend: KvBackend): void {
    this.#service.serve(backend);
  }

  /** Open now. */
  get connections(): number {
    return this.#port.connections;
  }

  get statistics(): Readonly<GrpcStatistics> {
    const pipes = this.#pipes.size;
    const [bytesUnread, bytesBegun] = [this.#unread.bytes, this.#begun.bytes];
    return { ...this.#statistics, pipes, bytesUnread, bytesBegun };
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
    await this.#within(closeMsMax, (done) => this.#port.drain(done));
    await this.#port.close();
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

  #allMethods(): ReadonlyMap<string, GrpcMethod> {
    const [service, clock] = [this.#service, this.#clock];
    return new Map([
      ...new UnaryCalls(service, clock, this.#unread).methods,
      [
        clientMethods.scan,
        oneRequest((call, request) => serveScan({ service, clock, call }, request)),
      ],
      [clientMethods.pipe, streamOfRequests((call) => this.#openPipe(call))],
      [clientMethods.describe, oneRequest((call) => this.#describe(call))],
      ...this.#health.methods,
      reflectionMethod("v1"),
      reflectionMethod("v1alpha"),
    ]);
  }

  #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const problem = problemWithHead(headers);
    if (problem !== undefined) {
      refuse(stream, problem);
      return;
    }
    const { silenceMs } = this.#options;
    const timeout = headers["grpc-timeout"];
    const timeoutMs = timeout === undefined ? undefined : grpcTimeoutMs(String(timeout));
    const call = new GrpcCall({
      stream,
      clock: this.#clock,
      messageBytesMax: requestBytesMax(this.#options),
      room: this.#roomOf(stream),
      silenceMs,
      timeoutMs,
    });
    const method = this.#methods.get(headers[":path"] ?? "");
    if (method === undefined) {
      call.fail({ status: "UNIMPLEMENTED", details: "there is no such method at this port" });
    } else if (timeout !== undefined && timeoutMs === undefined) {
      call.fail({ status: "INTERNAL", details: "the grpc-timeout is malformed" });
    } else {
      if (!method.mayIdle) {
        stream.setTimeout(silenceMs, () => stream.close(constants.NGHTTP2_CANCEL));
      }
      call.read(method.open(call));
    }
  }

  #roomOf({ session }: ServerHttp2Stream): SharedRoom {
    const known = session === undefined ? undefined : this.#rooms.get(session);
    if (known !== undefined) return known;
    const room = new SharedRoom(this.#begun);
    if (session !== undefined) this.#rooms.set(session, room);
    return room;
  }

  #openPipe(call: GrpcCall): PipeStream {
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
    return stream;
  }

  #describe(call: GrpcCall): void {
    const { node } = this.#service;
    const description = node === undefined ? undefined : describeCluster(node, this.address);
    if (description !== undefined) call.end(description);
    else call.fail(statusOf(this.#service.isClosing ? shuttingDown : starting));
  }
}

/** gRPC, in its form for this door: messages of protobuf. */
const contentType = /^application\/grpc(?:$|[+;])/u;

/** The HTTP status of a request that is no call of gRPC. */
function problemWithHead(headers: IncomingHttpHeaders): number | undefined {
  if (headers[constants.HTTP2_HEADER_METHOD] !== "POST") {
    return constants.HTTP_STATUS_METHOD_NOT_ALLOWED;
  }
  if (!contentType.test(headers["content-type"] ?? "")) {
    return constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE;
  }
  return undefined;
}

function refuse(stream: ServerHttp2Stream, status: number): void {
  stream.on("error", () => stream.destroy());
  stream.respond({ [constants.HTTP2_HEADER_STATUS]: status }, { endStream: true });
  setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
}
