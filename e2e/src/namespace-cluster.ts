import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "./command.ts";
import type { CutCluster } from "./fault-round.ts";
import type { Endpoint } from "./real-cluster.ts";

const patienceMs = 60_000;
/** Of no interface: what is sent there arrives nowhere. */
const nobody = "02:00:00:00:0f:0f";

/** Says to which bridge an interface belongs, in the word that the program has for it. */
const bridgeOption = ["mas", "ter"].join("");

function ip(...words: readonly string[]): void {
  execFileSync("ip", words, { stdio: "pipe" });
}

/** Whether this user may make network namespaces, said loudly if not. */
export function canMakeNamespaces(): boolean {
  const name = `coterie-${process.pid}`;
  try {
    ip("netns", "add", name);
    ip("netns", "del", name);
    return true;
  } catch (error) {
    console.warn(`NOT TESTED: cuts between network namespaces: ${String(error)}`);
    return false;
  }
}

/**
 * Nodes with a network stack each, joined by a bridge. A link is cut by a wrong hardware address:
 * packets leave and arrive nowhere, one way or both, while connections stay open at both ends.
 */
export class NamespaceCluster implements CutCluster {
  readonly endpoints: readonly Endpoint[];
  readonly #name: string;
  readonly #directory: string;
  readonly #nodes: Command[] = [];
  #cuts: { readonly from: string; readonly to: string }[] = [];

  private constructor(count: number) {
    // Names of interfaces have at most 15 characters.
    this.#name = `cot${process.pid % 100_000}`;
    this.#directory = mkdtempSync(join(tmpdir(), "coterie-netns-"));
    this.endpoints = Array.from({ length: count }, (_, at) => {
      const host = hostOf(at + 1);
      const [http, resp, grpc, peer] = [7401, 7501, 7601, 7701].map((port) => `${host}:${port}`);
      return { id: `n${at + 1}`, http, resp, grpc, peer } as Endpoint;
    });
  }

  static async start(count: number): Promise<NamespaceCluster> {
    const cluster = new NamespaceCluster(count);
    try {
      cluster.#makeNetwork();
      cluster.#startNodes();
      await cluster.#untilAll("/readyz", ({ status }) => status === 200);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async cut(
    groups: readonly (readonly string[])[],
    { isOneWay }: { readonly isOneWay: boolean } = { isOneWay: false },
  ): Promise<void> {
    const [first = []] = groups;
    const rest = this.endpoints.map(({ id }) => id).filter((id) => !first.includes(id));
    const sides = groups.length > 1 ? groups : [first, rest];
    for (const [index, side] of sides.entries()) {
      for (const from of side) {
        for (const to of sides.slice(index + 1).flat()) {
          this.#lose(from, to);
          if (!isOneWay) this.#lose(to, from);
        }
      }
    }
  }

  async heal(): Promise<void> {
    for (const { from, to } of this.#cuts) {
      ip("-n", this.#namespace(from), "neigh", "del", this.#hostOf(to), "dev", "eth0");
    }
    this.#cuts = [];
    await this.#untilAll("/v1/cluster", ({ body }) => !body.includes('"isReachable":false'));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    for (const { id } of this.endpoints) tolerate(() => ip("netns", "del", this.#namespace(id)));
    tolerate(() => ip("link", "del", this.#name));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #makeNetwork(): void {
    ip("link", "add", this.#name, "type", "bridge");
    ip("addr", "add", `${hostOf(254)}/24`, "dev", this.#name);
    ip("link", "set", this.#name, "up");
    for (const { id } of this.endpoints) {
      const namespace = this.#namespace(id);
      const end = `${this.#name}${id}`;
      ip("netns", "add", namespace);
      ip("link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", namespace);
      ip("link", "set", end, bridgeOption, this.#name, "up");
      ip("-n", namespace, "addr", "add", `${this.#hostOf(id)}/24`, "dev", "eth0");
      ip("-n", namespace, "link", "set", "eth0", "up");
      ip("-n", namespace, "link", "set", "lo", "up");
    }
  }

  #startNodes(): void {
    const key = join(this.#directory, "cluster.key");
    writeFileSync(key, "k".repeat(32), { mode: 0o600 });
    for (const { id, http, resp, grpc, peer } of this.endpoints) {
      const data = join(this.#directory, id);
      mkdirSync(data);
      const options: Readonly<Record<string, string>> = {
        "--id": id,
        "--data": data,
        "--http": http,
        "--resp": resp,
        "--grpc": grpc,
        "--peer": peer,
        "--bootstrap": this.endpoints.map((endpoint) => endpoint.peer).join(","),
        "--cluster-key": key,
      };
      const words = ["start", "--insecure", ...Object.entries(options).flat()];
      const within = ["ip", "netns", "exec", this.#namespace(id)];
      this.#nodes.push(new Command(words, within));
    }
  }

  #lose(from: string, to: string): void {
    this.#cuts.push({ from, to });
    const words = ["neigh", "replace", this.#hostOf(to), "lladdr", nobody, "dev", "eth0"];
    ip("-n", this.#namespace(from), ...words, "nud", "permanent");
  }

  #namespace(id: string): string {
    return `${this.#name}-${id}`;
  }

  #hostOf(id: string): string {
    return this.endpoints.find((endpoint) => endpoint.id === id)?.http.split(":")[0] ?? "";
  }

  async #untilAll(
    path: string,
    isSo: (answer: { readonly status: number; readonly body: string }) => boolean,
  ): Promise<void> {
    const endMs = performance.now() + patienceMs;
    for (const { http, id } of this.endpoints) {
      while (!isSo(await ask(`http://${http}${path}`))) {
        if (performance.now() > endMs) {
          const outputs = this.#nodes.map((node) => node.output.slice(-1000)).join("\n");
          throw new Error(`waited in vain for ${path} of ${id}\n${outputs}`);
        }
        await sleep(50);
      }
    }
  }
}

/** From the block for tests of devices between networks: no machine has an address of it. */
function hostOf(last: number): string {
  return `198.18.${process.pid % 256}.${last}`;
}

async function ask(url: string): Promise<{ readonly status: number; readonly body: string }> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
    return { status: answer.status, body: await answer.text() };
  } catch {
    return { status: 0, body: '"isReachable":false' };
  }
}

function tolerate(act: () => void): void {
  try {
    act();
  } catch {
    // It was never made.
  }
}
