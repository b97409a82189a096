import { setTimeout as sleep } from "node:timers/promises";
import { CliFailure, exitCodes } from "../exit.ts";
import type { Exchange, Reply } from "../http/exchange.ts";
import { failureOf, reportedFailure, unreachable } from "../http/failure.ts";
import type { NodePool } from "../http/node-pool.ts";

/** Clients stop retrying a write after a minute: nodes forget its id after two. */
const PATIENCE_MS = 60_000;
/** A node that does not answer for this long is passed over. */
const ATTEMPT_MS = 3000;
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 2000;

/**
 * Sends requests of a long transfer to all nodes in turn, and goes on while the cluster is
 * restarting, overloaded or short of replicas: a minute per request.
 */
export class PatientSender {
  readonly #pool: NodePool;
  /** Requests that had to be sent again. */
  retries = 0;

  constructor(pool: NodePool) {
    this.#pool = pool;
  }

  /** The first reply that is not a retryable failure. */
  async send(what: string, request: Exchange): Promise<Reply> {
    const giveUpMs = performance.now() + PATIENCE_MS;
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
      const attemptMs = ATTEMPT_MS * this.#pool.urls.length;
      const result = await this.#pool.sendInTurn(request, attemptMs);
      if (result.ok && !isRetryable(result.reply)) return result.reply;
      if (performance.now() + pauseMs > giveUpMs) {
        throw result.ok ? failureOf(what, result.reply) : unreachable(what, result.misses);
      }
      this.retries += 1;
      await sleep(pauseMs * (0.5 + Math.random() / 2));
    }
  }
}

function isRetryable(reply: Reply): boolean {
  return reply.status >= 429 && reportedFailure(reply).retryable;
}

/** The cluster refused this one record; others may be fine. */
export class RecordRefused extends Error {
  override readonly name = "RecordRefused";
}

/** What a failed reply means for a transfer: the end of it, or of this record only. */
export function transferFailure(what: string, reply: Reply): Error {
  const failure = failureOf(what, reply);
  const isOfRecord =
    failure.exit === exitCodes.usage || failure.exit === exitCodes.conflict || reply.status === 500;
  return isOfRecord && reply.status !== 501 ? new RecordRefused(failure.message) : failure;
}

/** The transfer was interrupted; what it did is kept. */
export function interrupted(next: string): CliFailure {
  return new CliFailure(exitCodes.failure, "interrupted", next);
}
