import type { Agent } from "node:http";
import {
  exchange,
  newAgent,
  type Exchange,
  type ExchangeResult,
  type NoReply,
  type Reply,
} from "./exchange.ts";
import { reportedFailure, unreachable } from "./failure.ts";

interface PooledNode {
  readonly url: URL;
  /** Tried last until then, because it did not answer a moment ago; 0 when it did. */
  avoidUntilMs: number;
  /** Misses in a row. */
  misses: number;
}

/** How long a node that did not answer is tried last, at first; doubled by each further miss. */
const AVOID_MS_MIN = 1000;
const AVOID_MS_MAX = 16_000;

/**
 * The nodes that a command may talk to. A request goes to one of them, and to the next when that
 * one cannot be reached or says that it is not serving; a write carries an id, so that asking a
 * second node is harmless.
 */
export class NodePool {
  readonly #nodes: readonly PooledNode[];
  readonly #agent: Agent = newAgent();
  #turn = 0;

  constructor(urls: readonly URL[]) {
    this.#nodes = urls.map((url) => ({ url, avoidUntilMs: 0, misses: 0 }));
  }

  get urls(): readonly URL[] {
    return this.#nodes.map(({ url }) => url);
  }

  /** Asks the nodes in the order given; `what` names the request in the failure. */
  async send(what: string, request: Exchange, timeoutMs: number): Promise<Reply> {
    const result = await this.#tryEach(this.#nodes, request, timeoutMs);
    if (result.ok) return result.reply;
    throw unreachable(what, result.misses);
  }

  /** Asks a different node first each time; settles with a reply or with why there is none. */
  async sendInTurn(
    request: Exchange,
    timeoutMs: number,
  ): Promise<{ ok: true; reply: Reply } | { ok: false; misses: readonly NoReply[] }> {
    this.#turn = (this.#turn + 1) % this.#nodes.length;
    const rotated = [...this.#nodes.slice(this.#turn), ...this.#nodes.slice(0, this.#turn)];
    return this.#tryEach(rotated, request, timeoutMs);
  }

  /** Asks exactly this node. */
  ask(node: URL, request: Exchange, timeoutMs: number): Promise<ExchangeResult> {
    return exchange(this.#agent, node, request, timeoutMs);
  }

  /** Closes the connections, so that nothing keeps the process. */
  close(): void {
    this.#agent.destroy();
  }

  async #tryEach(
    nodes: readonly PooledNode[],
    request: Exchange,
    timeoutMs: number,
  ): Promise<{ ok: true; reply: Reply } | { ok: false; misses: readonly NoReply[] }> {
    const startMs = performance.now();
    const order = nodes.toSorted(
      (left, right) => Number(left.avoidUntilMs > startMs) - Number(right.avoidUntilMs > startMs),
    );
    const misses: NoReply[] = [];
    let declined: Reply | undefined;
    for (const [index, node] of order.entries()) {
      const leftMs = timeoutMs - (performance.now() - startMs);
      if (leftMs <= 0) break;
      // One request finds out whether the node is back; the others go on avoiding it meanwhile.
      if (node.misses > 0) avoid(node);
      const result = await this.ask(node.url, request, leftMs / (order.length - index));
      if (result.ok && !isNotServing(result.reply)) {
        node.avoidUntilMs = 0;
        node.misses = 0;
        return result;
      }
      node.misses += 1;
      avoid(node);
      if (result.ok) declined = result.reply;
      else misses.push(result);
    }
    return declined === undefined ? { ok: false, misses } : { ok: true, reply: declined };
  }
}

function avoid(node: PooledNode): void {
  const delayMs = Math.min(AVOID_MS_MIN * 2 ** (node.misses - 1), AVOID_MS_MAX);
  node.avoidUntilMs = performance.now() + delayMs;
}

/** The node lives but does not serve: another one may. */
function isNotServing(reply: Reply): boolean {
  if (reply.status !== 503) return false;
  if (reply.body.length === 0) return true; // The answer to a HEAD has no room for the code.
  const { code } = reportedFailure(reply);
  return code === "not-ready" || code === "shutting-down";
}
