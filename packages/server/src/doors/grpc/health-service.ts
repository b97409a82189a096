import type { Cancel, Clock } from "@coterie/ports";
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import { coldCodec } from "./descriptors.ts";
import { type RawMethod, rawMethod } from "./raw-methods.ts";

/** How often a watched state is looked at. */
const watchMs = 500;
/** Watchers at once; more are refused. */
const watchersMax = 1000;

/** Numbers of ServingStatus in health.proto. */
const serving = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;

type Serving = (typeof serving)[keyof typeof serving];

const requestCodec = coldCodec<{ readonly service: string }>("grpc.health.v1.HealthCheckRequest");
const responseCodec = coldCodec<{ readonly status: Serving }>("grpc.health.v1.HealthCheckResponse");
const listCodec = coldCodec<{
  readonly statuses: Readonly<Record<string, { readonly status: Serving }>>;
}>("grpc.health.v1.HealthListResponse");

type UnaryCall = ServerUnaryCall<Uint8Array, Uint8Array>;
type Callback = sendUnaryData<Uint8Array>;
type WatchCall = ServerWritableStream<Uint8Array, Uint8Array>;

/** The services whose health is asked; the empty name stands for the whole node. */
const services = ["", "coterie.v1.Kv", "coterie.v1.Cluster"];

/** grpc.health.v1: a node serves when it is ready, and until it drains. */
export class HealthService {
  readonly #clock: Clock;
  readonly #isServing: () => boolean;
  readonly #watchers = new Set<() => void>();
  #cancel: Cancel | undefined;

  constructor(clock: Clock, isServing: () => boolean) {
    this.#clock = clock;
    this.#isServing = isServing;
  }

  static readonly watchPath: string = "/grpc.health.v1.Health/Watch";

  static readonly methods: Readonly<Record<string, RawMethod>> = {
    Check: rawMethod("/grpc.health.v1.Health/Check", "unary"),
    List: rawMethod("/grpc.health.v1.Health/List", "unary"),
    Watch: rawMethod(HealthService.watchPath, "server-stream"),
  };

  get handlers(): Readonly<Record<string, (call: never, callback: never) => void>> {
    return {
      Check: (call: UnaryCall, callback: Callback) => this.#check(call, callback),
      List: (_call: UnaryCall, callback: Callback) => this.#list(callback),
      Watch: (call: WatchCall) => this.#watch(call),
    };
  }

  /** Tells every watcher that the node serves no more, and ends. */
  close(): void {
    for (const look of this.#watchers) look();
    this.#cancel?.();
  }

  #statusOf(service: string): Serving {
    if (!services.includes(service)) return serving.SERVICE_UNKNOWN;
    return this.#isServing() ? serving.SERVING : serving.NOT_SERVING;
  }

  #check(call: UnaryCall, callback: Callback): void {
    const request = requestCodec.decode(call.request);
    if (request === undefined) {
      callback({ code: status.INVALID_ARGUMENT, details: "the message is malformed" });
      return;
    }
    const found = this.#statusOf(request.service);
    if (found === serving.SERVICE_UNKNOWN) {
      callback({ code: status.NOT_FOUND, details: "there is no such service" });
    } else callback(null, responseCodec.encode({ status: found }));
  }

  #list(callback: Callback): void {
    const entries = services.map((name) => [name, { status: this.#statusOf(name) }] as const);
    callback(null, listCodec.encode({ statuses: Object.fromEntries(entries) }));
  }

  #watch(call: WatchCall): void {
    const request = requestCodec.decode(call.request);
    if (request === undefined || this.#watchers.size >= watchersMax) {
      const code = request === undefined ? status.INVALID_ARGUMENT : status.RESOURCE_EXHAUSTED;
      call.emit("error", { code, details: "malformed, or one watcher too many" });
      return;
    }
    let last: Serving | undefined;
    const look = (): void => {
      const now = this.#statusOf(request.service);
      // A watcher that does not read would gather what it is told.
      if (now === last || call.writableLength > 0) return;
      last = now;
      call.write(responseCodec.encode({ status: now }));
    };
    look();
    this.#watchers.add(look);
    this.#schedule();
    const leave = (): void => {
      this.#watchers.delete(look);
    };
    call.on("cancelled", leave);
    call.on("close", leave);
    call.on("error", leave);
  }

  #schedule(): void {
    if (this.#cancel !== undefined || this.#watchers.size === 0) return;
    this.#cancel = this.#clock.at(this.#clock.monotonicMs() + watchMs, () => {
      this.#cancel = undefined;
      for (const look of this.#watchers) look();
      this.#schedule();
    });
  }
}
