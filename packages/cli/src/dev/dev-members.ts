import { setTimeout as sleep } from "node:timers/promises";
import { exchange, newAgent, type Exchange, type Reply } from "../http/exchange.ts";
import { reportedFailure } from "../http/failure.ts";
import type { MembersChange, PlanView, TopologyView } from "../http/topology.ts";

const POLL_MS = 100;
const ASK_MS = 2000;
/** A node tries for 10 seconds to have a change agreed. */
const COMMIT_MS = 15_000;
const headers = { "content-type": "application/json" };

/** Failures that pass: a newcomer is not heard of yet, others are ahead, earlier moves go on. */
const passing = new Set(["no-such-node", "stale-plan", "under-way", "no-majority", "not-ready"]);

/** Changes the members of a dev cluster, by way of whichever of its nodes answers. */
export class DevMembers {
  readonly #doors: () => readonly string[];
  readonly #agent = newAgent();

  /** `doors`: `host:port` of the HTTP doors of nodes that run. */
  constructor(doors: () => readonly string[]) {
    this.#doors = doors;
  }

  /**
   * Plans and commits a change; tries again while `isWanted` and what is in its way passes. What
   * was said to have failed may have been agreed on all the same: so what a later try says is in
   * the way may be the change itself.
   */
  async change(change: MembersChange, isWanted: () => boolean): Promise<string | undefined> {
    let problem = "no node answers";
    let mayBeDone = false;
    for (; isWanted(); await sleep(POLL_MS)) {
      const planned = await this.#post("/v1/plan", change, ASK_MS);
      if (planned === undefined) continue;
      if (mayBeDone && planned.status !== 200 && (await this.#isDone(change))) return undefined;
      mayBeDone ||= planned.status === 200;
      const committed =
        planned.status === 200
          ? await this.#commit(planned, JSON.parse(planned.body.toString("utf8")) as PlanView)
          : planned;
      if (committed === undefined) continue;
      if (committed.status === 200) return undefined;
      const { code, message } = reportedFailure(committed);
      problem = message;
      if (!passing.has(code)) break;
    }
    return problem;
  }

  /** Who belongs to the cluster and who offers itself; `undefined` if no node says. */
  async view(): Promise<TopologyView | undefined> {
    for (const door of this.#doors()) {
      const reply = await this.#ask(door, { method: "GET", path: "/v1/topology" }, ASK_MS);
      if (reply?.status === 200) return JSON.parse(reply.body.toString("utf8")) as TopologyView;
    }
    return undefined;
  }

  /** Whether a node is out of the cluster for good; `undefined` if no other node says. */
  async isOut(id: string): Promise<boolean | undefined> {
    const view = await this.view();
    if (view === undefined) return undefined;
    const member = view.members.find((each) => each.id === id);
    const isOffering = view.offers.some((offer) => offer.id === id);
    return !isOffering && (member === undefined || member.departure === "removed");
  }

  close(): void {
    this.#agent.destroy();
  }

  async #isDone(change: MembersChange): Promise<boolean> {
    const { join = [], leave = [], remove = [], replace = [] } = change;
    const members = (await this.view())?.members;
    if (members === undefined) return false;
    const isIn = (id: string): boolean =>
      members.some((each) => each.id === id && each.departure === null);
    const entering = [...join, ...replace.map(({ by }) => by)];
    const going = [...leave, ...remove, ...replace.map(({ id }) => id)];
    return entering.every(isIn) && !going.some(isIn);
  }

  async #post(path: string, body: object, timeoutMs: number): Promise<Reply | undefined> {
    const bytes = Buffer.from(JSON.stringify(body));
    for (const door of this.#doors()) {
      const request = { method: "POST", path, headers, body: bytes } as const;
      const reply = await this.#ask(door, request, timeoutMs);
      if (reply !== undefined && reply.status !== 503) return reply;
    }
    return undefined;
  }

  /** The node that made the plan remembers it. */
  #commit({ node }: Reply, { hash }: PlanView): Promise<Reply | undefined> {
    const body = Buffer.from(JSON.stringify({ hash }));
    return this.#ask(node.host, { method: "POST", path: "/v1/commit", headers, body }, COMMIT_MS);
  }

  async #ask(door: string, request: Exchange, timeoutMs: number): Promise<Reply | undefined> {
    const result = await exchange(this.#agent, new URL(`http://${door}`), request, timeoutMs);
    return result.ok ? result.reply : undefined;
  }
}
