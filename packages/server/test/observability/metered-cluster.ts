import { readFileSync } from "node:fs";
import type { PeerRequest, PeerResponse, RequestOptions, WriteOutcome } from "@coterie/cluster";
import { utf8 } from "@coterie/core";
import type { Network } from "@coterie/ports";
import { type MeteredNode, type MeteredSettings, meteredNode } from "./metered-node.ts";
import { type Scrape, parseScrape } from "./scrape.ts";

type NodeSettings = Omit<MeteredSettings, "member" | "bootstrap" | "network">;

/** Nodes in one process, with their metrics: what is asked of one is asked in the next turn. */
export class MeteredCluster {
  readonly addresses: readonly string[];
  /** Whom nothing reaches. */
  readonly away = new Set<string>();
  readonly #settingsOf: (at: number) => NodeSettings;
  readonly #nodes = new Map<string, MeteredNode>();
  readonly #network: Network<PeerRequest, PeerResponse> = {
    call: (to, request, deadline, settle) => {
      setImmediate(() => {
        const target = this.#nodes.get(to);
        if (this.away.has(to) || target === undefined) settle({ ok: false, reason: "refused" });
        else target.node.receive(request, deadline, (response) => settle({ ok: true, response }));
      });
    },
    isReachable: (to) => !this.away.has(to),
  };

  constructor(nodes: number, settingsOf: (at: number) => NodeSettings) {
    this.addresses = Array.from({ length: nodes }, (_, at) => `127.0.0.1:${at + 1}`);
    this.#settingsOf = settingsOf;
  }

  get first(): MeteredNode {
    return this.at(0);
  }

  at(number: number): MeteredNode {
    const found = this.#nodes.get(this.addresses[number] ?? "");
    if (found === undefined) throw new Error(`there is no node ${number}`);
    return found;
  }

  /** Starts all nodes; resolves when each is ready. */
  async start(): Promise<void> {
    const made = this.addresses.map((_, at) => this.renew(at));
    const outcomes = await Promise.all(made.map(({ node }) => node.start()));
    if (!outcomes.every(({ ok }) => ok)) throw new Error(JSON.stringify(outcomes));
  }

  /** A node with nothing in its directory takes the place of the one there. It is not started. */
  renew(at: number): MeteredNode {
    const address = this.addresses[at] ?? "";
    const made = meteredNode({
      member: { id: `n${at + 1}`, address },
      bootstrap: this.addresses,
      network: this.#network,
      ...this.#settingsOf(at),
    });
    this.#nodes.set(address, made);
    return made;
  }

  /** The first node's metrics. */
  async scrape(): Promise<Scrape> {
    return parseScrape((await this.first.metrics.render()).text);
  }

  /** Puts a byte under a key at the first node. */
  put(name: string, options: RequestOptions): Promise<WriteOutcome> {
    const value = { value: utf8("x"), contentType: "", context: undefined, writeId: undefined };
    const key = { bucket: "default", key: utf8(name) };
    return this.first.node.put(key, { ...value, returnBody: false, ifAbsent: false }, options);
  }

  async stop(): Promise<void> {
    for (const address of this.addresses) this.away.add(address);
    for (const { node, metrics } of this.#nodes.values()) {
      await node.stop();
      metrics.stop();
    }
  }
}

/** The names of the documented metrics that begin so. */
export function documentedMetrics(prefix: string): readonly string[] {
  const page = new URL("../../../../docs/operations/metrics.md", import.meta.url);
  const rows = readFileSync(page, "utf8").matchAll(/^\| `(coterie_\w+)` \|/gmu);
  return [...rows].map(([, name = ""]) => name).filter((name) => name.startsWith(prefix));
}

/** Resolves when it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}
