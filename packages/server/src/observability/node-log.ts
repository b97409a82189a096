import type {
  AntiEntropyEvent,
  HandoffEvent,
  NodeEvent,
  RejoinEvent,
  TopologyEvent,
} from "@coterie/cluster";
import type { MembershipEvent } from "@coterie/core";
import type { StoreEvent } from "@coterie/storage";
import type { ObservedCall } from "../doors/grpc/kv-service.ts";
import type { ObservedRequest } from "../doors/http/app.ts";
import type { ObservedCommand, RespEvent } from "../doors/resp/resp-service.ts";
import type { Log } from "./log.ts";

/** How often the same thing is said again, in milliseconds. */
const repeatMs = 10_000;
/** Requests that took longer are worth a line. */
const slowMs = 1000;

/** Says in the log what an operator wants to know, and the same thing not too often. */
export class NodeLog {
  readonly #log: Log;
  /** What was said, when, and how often it was kept back since. */
  readonly #said = new Map<string, { readonly at: number; kept: number }>();

  constructor(log: Log) {
    this.#log = log;
  }

  nodeEvent(event: NodeEvent): void {
    switch (event.kind) {
      case "store-opened":
        this.#log.info({ event: "store-opened", ...event.report }, "store opened");
        break;
      case "peer-refused":
        this.#sayRarely(event.reason, (kept) =>
          this.#log.warn({ event: "peer-refused", reason: event.reason, kept }, "peer refused"),
        );
        break;
      case "formed": {
        const { clusterId, digest } = event;
        this.#log.info({ event: "cluster-formed", clusterId, digest }, "cluster formed");
        break;
      }
      case "document-changed": {
        const { epoch, digest } = event;
        this.#log.info({ event: "document-changed", epoch, digest }, "cluster document changed");
        break;
      }
      case "rejoining":
      case "rejoined":
      case "rejoin-waits":
      case "directory-replaced":
        this.#rejoinEvent(event);
        break;
      case "offering":
      case "joined":
      case "offered":
      case "voters-forced":
      case "moves-paused":
      case "gone":
        this.#topologyEvent(event);
        break;
      case "ready":
        this.#log.info({ event: "ready" }, "ready");
        break;
      case "refilled":
        this.#log.info({ event: "refilled" }, "refilled");
        break;
      case "discarded": {
        const { partitions } = event;
        const text = "copies out of date by what others have reaped were thrown away";
        this.#log.warn({ event: "discarded", partitions }, text);
        break;
      }
      case "clocks-cut": {
        const { records } = event;
        this.#log.debug({ event: "clocks-cut", records }, "clocks that had grown wide are cut");
        break;
      }
      case "handoff":
        this.#notePaid(event.event);
        break;
      case "anti-entropy":
        this.#noteAntiEntropy(event.event);
        break;
      case "hints-lost": {
        const { lost } = event;
        this.#log.error({ event: "hints-lost", ...lost }, "damage took records held for a node");
        break;
      }
      case "membership":
        this.#membershipEvent(event.event);
    }
  }

  #notePaid({ target, records, durationMs }: HandoffEvent): void {
    this.#log.info(
      { event: "handoff-paid", target, records, durationMs: Math.round(durationMs) },
      "a node has got back what it missed",
    );
  }

  #noteAntiEntropy(event: AntiEntropyEvent): void {
    if (event.kind === "exchanged") {
      const { peer, keys } = event;
      const durationMs = Math.round(event.durationMs);
      this.#log.info(
        { event: "keys-exchanged", peer, keys, durationMs },
        "copies that differed from another node's are alike",
      );
      return;
    }
    const { state, partitions, partitionsDone, keysExchanged, failures } = event.repair;
    const facts = { partitions, partitionsDone, keysExchanged, failures };
    if (state === "done") this.#log.info({ event: "repaired", ...facts }, "repair done");
    else this.#log.warn({ event: "repaired", ...facts }, "some copies may still differ");
  }

  /** The configuration says something of a bucket that the cluster does otherwise. */
  bucketDiffers(bucket: string, reason: string): void {
    this.#log.warn({ event: "bucket-differs", bucket, reason }, reason);
  }

  storeEvent(event: StoreEvent): void {
    const { kind, ...facts } = event;
    switch (kind) {
      case "damage":
        this.#log.error(
          { event: "damage", ...facts },
          "damage found, to be refilled from replicas",
        );
        break;
      case "disk-full":
        this.#log.error({ event: "disk-full" }, "disk full: puts are refused, the rest goes on");
        break;
      case "disk-space-back":
        this.#log.info({ event: "disk-space-back" }, "disk has space again");
        break;
      case "new-actor":
        this.#log.info({ event: "new-actor", ...facts }, "new actor");
        break;
      case "compacted":
        this.#log.debug({ event: "compacted", ...facts }, "compacted");
    }
  }

  brokenStream(peer: string, reason: string): void {
    this.#sayRarely(`broken ${peer}`, (kept) =>
      this.#log.warn(
        { event: "peer-stream-broken", peer, reason, kept },
        "the stream to a peer is broken",
      ),
    );
  }

  request(observed: ObservedRequest | ObservedCall | ObservedCommand): void {
    if (observed.ms < slowMs) return;
    const { operation, ms, ...result } = observed;
    this.#sayRarely(`slow ${operation}`, (kept) =>
      this.#log.warn(
        { event: "slow-request", operation, ...result, ms: Math.round(ms), kept },
        "slow request",
      ),
    );
  }

  respEvent(event: RespEvent): void {
    const { kind, client } = event;
    this.#sayRarely(kind, (kept) => {
      switch (kind) {
        case "wrong-protocol": {
          const { protocol } = event;
          const words = "the door for Redis clients was spoken to in another protocol";
          this.#log.warn({ event: "resp-wrong-protocol", protocol, client, kept }, words);
          break;
        }
        case "protocol-error": {
          const { problem } = event;
          this.#log.warn({ event: "resp-protocol-error", problem, client, kept }, "broken RESP");
          break;
        }
        case "client-cut": {
          const { reason } = event;
          this.#log.warn({ event: "resp-client-cut", reason, client, kept }, "a client was cut");
          break;
        }
        case "flushed": {
          const { keys } = event;
          this.#log.warn(
            { event: "resp-flushed", keys, client, kept },
            "a client deleted all keys",
          );
        }
      }
    });
  }

  #rejoinEvent(event: RejoinEvent): void {
    const { kind, ...facts } = event;
    switch (kind) {
      case "rejoining":
        this.#log.warn(
          { event: "rejoining", ...facts },
          "the directory is empty, and the cluster knows this node with another one",
        );
        break;
      case "rejoined":
        this.#log.warn(
          { event: "rejoined", ...facts },
          "this directory has taken the place of one that was lost: it is refilled now",
        );
        break;
      case "rejoin-waits":
        this.#sayRarely(`${event.id} ${event.reason}`, (kept) =>
          this.#log.warn(
            { event: "rejoin-waits", ...facts, kept },
            "a member has lost its directory, and does not get its place yet",
          ),
        );
        break;
      case "directory-replaced":
        this.#log.warn(
          { event: "directory-replaced", ...facts },
          "a member goes on with an empty directory in the place of the one that it lost",
        );
    }
  }

  #topologyEvent(event: TopologyEvent): void {
    const { kind, ...facts } = event;
    switch (kind) {
      case "offering":
        this.#log.info({ event: "offering", ...facts }, event.reason);
        break;
      case "joined":
        this.#log.info({ event: "joined", ...facts }, "the cluster has made this node a member");
        break;
      case "offered":
        this.#log.info(
          { event: "offered", ...facts },
          `a new node offers itself: accept with coterie plan join ${event.id}`,
        );
        break;
      case "voters-forced":
        this.#log.warn(
          { event: "voters-forced", ...event.forcing },
          "voters were given up: the others go on without them",
        );
        break;
      case "moves-paused":
        this.#log.info(
          { event: "moves-paused", ...facts },
          event.isPaused ? "what moves stands still" : "what moves goes on",
        );
        break;
      case "gone":
        if (event.how === "left") this.#log.info({ event: "gone", ...facts }, event.reason);
        else this.#log.error({ event: "gone", ...facts }, event.reason);
    }
  }

  #membershipEvent(event: MembershipEvent): void {
    const { kind, ...facts } = event;
    switch (kind) {
      case "suspected":
        this.#log.warn({ event: "member-suspected", ...facts }, "a member is suspected");
        break;
      case "dead":
        this.#log.warn({ event: "member-dead", ...facts }, "a member is taken for dead");
        break;
      case "alive":
        this.#log.info({ event: "member-alive", ...facts }, "a member is alive");
        break;
      case "left":
        this.#log.info({ event: "member-left", ...facts }, "a member left of its own accord");
        break;
      case "refuted":
        this.#log.warn({ event: "accusation-refuted", ...facts }, "others suspected this node");
        break;
      case "stalled":
        this.#sayRarely("stalled", (kept) =>
          this.#log.warn({ event: "stalled", ...facts, kept }, "this process stood still"),
        );
        break;
      case "behind":
        this.#log.info({ event: "document-behind", ...facts }, "there is a newer document");
    }
  }

  #sayRarely(what: string, say: (kept: number) => void): void {
    const now = performance.now();
    const said = this.#said.get(what);
    if (said !== undefined && now - said.at < repeatMs) {
      said.kept += 1;
      return;
    }
    if (this.#said.size > 100) this.#said.clear();
    this.#said.set(what, { at: now, kept: 0 });
    say(said?.kept ?? 0);
  }
}
