import type { NodeApi } from "@coterie/cluster";
import type { Clock } from "@coterie/ports";
import { type RespReply, RespWriter, respError } from "@coterie/protocol";
import { ByteBudget } from "../byte-budget.ts";
import type { CommandAbout } from "./command.ts";
import { KeyLanes } from "./key-lanes.ts";
import { KeyspaceEstimate } from "./keyspace-estimate.ts";
import { type RespDoorOptions, type RespTuning, respTuning } from "./resp-options.ts";
import type { RespSession } from "./resp-session.ts";
import type { RespStatistics } from "./resp-statistics.ts";

/** A command that has been answered. */
export interface ObservedCommand {
  readonly operation: string;
  /** `ok`, or the prefix of the error. */
  readonly code: string;
  readonly ms: number;
}

/** What an operator wants to read in the log. */
export type RespEvent =
  | { readonly kind: "wrong-protocol"; readonly protocol: "HTTP" | "TLS"; readonly client: string }
  | { readonly kind: "protocol-error"; readonly problem: string; readonly client: string }
  | { readonly kind: "client-cut"; readonly reason: string; readonly client: string }
  | { readonly kind: "flushed"; readonly client: string; readonly keys: number };

/** What stands behind the door. */
export interface RespBackend {
  readonly node: NodeApi;
  /** Told of every command that was answered. */
  readonly observe: (command: ObservedCommand) => void;
  readonly onEvent: (event: RespEvent) => void;
  /** Told of an error that nothing expects: a defect. */
  readonly onDefect: (error: Error) => void;
}

/** What all connections of the door share. */
export class RespService {
  readonly clock: Clock;
  readonly options: RespDoorOptions;
  readonly tuning: RespTuning;
  /** `host:port` of the door. */
  readonly address: string;
  readonly node: NodeApi;
  /** Every command, by its name in small letters and in capitals. */
  readonly commands: ReadonlyMap<string, CommandAbout>;
  readonly lanes: KeyLanes;
  readonly keyspace: KeyspaceEstimate;
  readonly statistics: RespStatistics;
  readonly writer: RespWriter = new RespWriter();
  readonly unread: ByteBudget;
  readonly held: ByteBudget;
  readonly sessions: Map<number, RespSession> = new Map();
  readonly startedAtMs: number;
  /** Refuses what is new. */
  isClosing = false;
  readonly #backend: RespBackend;

  constructor(
    backend: RespBackend,
    parts: {
      readonly clock: Clock;
      readonly options: RespDoorOptions;
      readonly address: string;
      readonly statistics: RespStatistics;
      readonly commands: ReadonlyMap<string, CommandAbout>;
    },
  ) {
    this.#backend = backend;
    this.node = backend.node;
    this.clock = parts.clock;
    this.options = parts.options;
    this.address = parts.address;
    this.statistics = parts.statistics;
    this.commands = parts.commands;
    this.tuning = { ...respTuning, ...parts.options.tuning };
    this.unread = new ByteBudget(parts.options.unreadBytesMax);
    this.held = new ByteBudget(parts.options.heldBytesMax);
    this.lanes = new KeyLanes(this.node, parts.options.bucket, {
      defaultDeadline: () => this.#defaultDeadline(),
      onDefect: (error) => this.defect(error),
    });
    this.keyspace = new KeyspaceEstimate(this.node, this.clock, {
      bucket: parts.options.bucket,
      patienceMs: this.tuning.keyspacePatienceMs,
    });
    this.startedAtMs = this.clock.monotonicMs();
  }

  #defaultDeadline(): number | undefined {
    const buckets = this.node.document()?.settings.buckets ?? [];
    const ttlMs = buckets.find(({ name }) => name === this.options.bucket)?.ttlMs;
    return ttlMs === undefined ? undefined : this.clock.wallMs() + ttlMs;
  }

  /** Counts a command that was answered. */
  observe(operation: string, code: string, sinceMs: number): void {
    this.statistics.commands += 1;
    this.#backend.observe({ operation, code, ms: this.clock.monotonicMs() - sinceMs });
  }

  tell(event: RespEvent): void {
    this.#backend.onEvent(event);
  }

  /** The reply to a call that met a defect. */
  defect(error: unknown): RespReply {
    this.#backend.onDefect(error instanceof Error ? error : new Error(String(error)));
    return respError("ERR internal: a defect of Coterie; the node's log has the details");
  }
}
