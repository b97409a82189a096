import type { Cancel, Clock } from "@coterie/ports";
import { coldCodec } from "./descriptors.ts";
import { shuttingDown, statusOf } from "./failures.ts";
import type { GrpcCall } from "./grpc-call.ts";
import { type GrpcMethod, oneRequest } from "./grpc-method.ts";

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

/** The services whose health is asked; the empty name stands for the whole node. */
const services = ["", "coterie.v1.Kv", "coterie.v1.Cluster"];

/** grpc.health.v1: a node serves when it is ready, and until it drains. */
export class HealthService {
  readonly #clock: Clock;
  readonly #isServing: () => boolean;
  /** Those that watch, and what looks for each of them. */
  readonly #watchers = new Map<GrpcCall, () => void>();
  #cancel: Cancel | undefined;

  constructor(clock: Clock, isServing: () => boolean) {
    this.#clock = clock;
    this.#isServing = isServing;
  }

  /** By their paths. */
  get methods(): readonly (readonly [string, GrpcMethod])[] {
    return [
      ["/grpc.health.v1.Health/Check", oneRequest((call, request) => this.#check(call, request))],
      ["/grpc.health.v1.Health/List", oneRequest((call) => this.#list(call))],
      [
        "/grpc.health.v1.Health/Watch",
        oneRequest((call, request) => this.#watch(call, request), true),
      ],
    ];
  }

  /** Tells every watcher that the node serves no more, and ends. */
  close(): void {
    for (const [call, look] of this.#watchers) {
      look();
      call.fail(statusOf(shuttingDown));
    }
    this.#cancel?.();
  }

  #statusOf(service: string): Serving {
    if (!services.includes(service)) return serving.SERVICE_UNKNOWN;
    return this.#isServing() ? serving.SERVING : serving.NOT_SERVING;
  }

  #check(call: GrpcCall, bytes: Uint8Array): void {
    const request = requestCodec.decode(bytes);
    if (request === undefined) {
      call.fail({ status: "INVALID_ARGUMENT", details: "the message is malformed" });
      return;
    }
    const found = this.#statusOf(request.service);
    if (found === serving.SERVICE_UNKNOWN) {
      call.fail({ status: "NOT_FOUND", details: "there is no such service" });
    } else call.end(responseCodec.encode({ status: found }));
  }

  #list(call: GrpcCall): void {
    const entries = services.map((name) => [name, { status: this.#statusOf(name) }] as const);
    call.end(listCodec.encode({ statuses: Object.fromEntries(entries) }));
  }

  #watch(call: GrpcCall, bytes: Uint8Array): void {
    const request = requestCodec.decode(bytes);
    if (request === undefined || this.#watchers.size >= watchersMax) {
      const status = request === undefined ? "INVALID_ARGUMENT" : "RESOURCE_EXHAUSTED";
      call.fail({ status, details: "malformed, or one watcher too many" });
      return;
    }
    let last: Serving | undefined;
    const look = (): void => {
      const now = this.#statusOf(request.service);
      // A watcher that does not read would gather what it is told.
      if (now === last || call.bytesUnsent > 0) return;
      last = now;
      call.write(responseCodec.encode({ status: now }));
    };
    look();
    this.#watchers.set(call, look);
    this.#schedule();
    call.whenOver(() => this.#watchers.delete(call));
  }

  #schedule(): void {
    if (this.#cancel !== undefined || this.#watchers.size === 0) return;
    this.#cancel = this.#clock.at(this.#clock.monotonicMs() + watchMs, () => {
      this.#cancel = undefined;
      for (const look of this.#watchers.values()) look();
      this.#schedule();
    });
  }
}
