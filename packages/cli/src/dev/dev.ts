import type { Server } from "node:http";
import { relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ReadStream } from "node:tty";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { shellQuote } from "../http/keys.ts";
import { table } from "../table.ts";
import { processTerminal, type Terminal } from "../terminal.ts";
import { runningDev, serveControl, type DevActionResult } from "./control.ts";
import { CutLinks } from "./cut-links.ts";
import { DevDirectory } from "./dev-directory.ts";
import type { DevEndpoint, DevEndpoints } from "./endpoints-text.ts";
import { endpointFor, settleEndpoints, type DevShape } from "./dev-endpoints.ts";
import { DevMembers } from "./dev-members.ts";
import { DevNode, type CutAddress } from "./dev-node.ts";
import { nodesIn, type DevOrder } from "./dev-order.ts";
import { readKeys } from "./keyboard.ts";
import { startWords, writeSharedFiles } from "./node-command.ts";
import { pidIn, processState } from "./process-state.ts";

export interface DevOptions extends DevShape {
  readonly data: string;
  readonly reset?: boolean;
  /** False with --no-input. */
  readonly input: boolean;
  readonly config?: string;
}

/** Nodes that are not ready by then will not be. */
const READY_MS_MAX = 120_000;
const REPORT_MS = 10_000;
/** Peers that do not find a revived node by then are in trouble of their own. */
const REUNION_MS_MAX = 5000;
/** With what comes before and after, all nodes are gone within three seconds. */
const DRAIN_MS = 2500;
/** The others know it by what it had: with an empty memory it is another node. */
const LOST_WITH_IT = "what it was and held was in memory only (start coterie dev again)";

/** `coterie dev`: a cluster of node processes on this machine, for as long as the command runs. */
export async function dev(options: DevOptions): Promise<ExitCode> {
  const terminal = processTerminal();
  const directory = new DevDirectory(options.data);
  const other = await runningDev(directory);
  if (other !== undefined) {
    throw new CliFailure(
      exitCodes.failure,
      `${directory.path} is in use by \`coterie dev\` with pid ${other.pid}`,
      "another directory with --data DIR (and --base-port N), or stop that one first",
    );
  }
  killLeftovers(directory, terminal);
  if (options.reset === true) directory.reset();
  const endpoints = await settleEndpoints(directory, options);
  writeSharedFiles(directory, endpoints);
  return new DevCluster(directory, endpoints, options, terminal).run();
}

/** A node that was paused when its dev died could not notice it. */
function killLeftovers(directory: DevDirectory, terminal: Terminal): void {
  for (const { id } of directory.readEndpoints()?.nodes ?? []) {
    const pid = pidIn(directory.pidFile(id));
    if (pid === undefined || processState(pid, directory.nodeDirectory(id)) === "gone") continue;
    terminal.say(`${id} of an earlier \`coterie dev\` still runs (pid ${pid}): killing it`);
    process.kill(pid, "SIGKILL");
  }
}

class DevCluster {
  readonly #directory: DevDirectory;
  #endpoints: DevEndpoints;
  readonly #options: DevOptions;
  readonly #terminal: Terminal;
  #nodes: readonly DevNode[];
  readonly #members: DevMembers;
  readonly #cuts: CutLinks;
  readonly #stopped: Promise<void>;
  #settleStopped: () => void = () => undefined;
  #hasStarted = false;
  #isStopping = false;

  constructor(
    directory: DevDirectory,
    endpoints: DevEndpoints,
    options: DevOptions,
    terminal: Terminal,
  ) {
    this.#directory = directory;
    this.#endpoints = endpoints;
    this.#options = options;
    this.#terminal = terminal;
    this.#nodes = endpoints.nodes.map((endpoint) => this.#newNode(endpoint));
    this.#members = new DevMembers(() => {
      const living = this.#nodes.filter((node) => !node.isDead());
      return living.map(({ endpoint }) => endpoint.http);
    });
    this.#cuts = new CutLinks(this.#nodes.map(({ id }) => id));
    this.#stopped = new Promise((resolve) => {
      this.#settleStopped = resolve;
    });
  }

  #newNode(endpoint: DevEndpoint): DevNode {
    const words = startWords(endpoint, this.#endpoints, this.#directory, this.#options.config);
    return new DevNode(endpoint, this.#directory, words, (node, how) => {
      void this.#noteDeath(node, how);
    });
  }

  async run(): Promise<ExitCode> {
    const onSignal = (): void => this.#interrupt();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
    const startMs = performance.now();
    const control = await serveControl(this.#directory, (order) => this.#act(order));
    for (const node of this.#nodes) node.start();
    const failed = await this.#startFailure();
    if (failed === undefined && !this.#isStopping) {
      this.#hasStarted = true;
      await this.#announceReady(performance.now() - startMs);
      const keyboard = this.#openKeyboard();
      await this.#stopped;
      keyboard?.close();
    }
    await this.#end(control);
    if (failed !== undefined) throw failed;
    return exitCodes.ok;
  }

  /** Waits until every node serves; says why they do not. */
  async #startFailure(): Promise<CliFailure | undefined> {
    const waiting = new Set(this.#nodes);
    const reminder = setInterval(() => {
      const ids = [...waiting].map(({ id }) => id).join(", ");
      this.#terminal.say(`still waiting for ${ids}; logs are in ${this.#shownPath()}`);
    }, REPORT_MS);
    let culprit: DevNode | undefined;
    await Promise.all(
      this.#nodes.map(async (node) => {
        const isReady = await this.#untilMember(node);
        waiting.delete(node);
        if (isReady || this.#isStopping) return;
        culprit ??= node;
        // The others may wait for this one for ever.
        this.#stop();
      }),
    );
    clearInterval(reminder);
    if (culprit === undefined) return undefined;
    const log = this.#directory.logFile(culprit.id);
    return new CliFailure(
      exitCodes.failure,
      `${culprit.id} did not start; its log ends with\n${culprit.logTail()}`,
      `the whole log: ${shellQuote(log)}`,
    );
  }

  /**
   * Waits until a node serves. One that was added when dev ended may have to join yet, and one that
   * left while there was nobody to notice is no more.
   */
  async #untilMember(node: DevNode): Promise<boolean> {
    let isServing = false;
    const isWanted = (): boolean => !isServing && !node.isDead() && !this.#isStopping;
    const joined = this.#joinIfOffering(node, isWanted);
    isServing = await node.untilReady(READY_MS_MAX);
    await joined;
    if (isServing || this.#isStopping || !node.isDead()) return isServing;
    if ((await this.#members.isOut(node.id)) !== true) return false;
    this.#forget(node);
    return true;
  }

  async #joinIfOffering(node: DevNode, isWanted: () => boolean): Promise<void> {
    for (; isWanted(); await sleep(REPORT_MS / 20)) {
      const view = await this.#members.view();
      const isOffering = view?.offers.some(({ id }) => id === node.id) === true;
      if (isOffering && isWanted()) await this.#members.change({ join: [node.id] }, isWanted);
    }
  }

  async #announceReady(elapsedMs: number): Promise<void> {
    const { n, r, w, isMemory, nodes } = this.#endpoints;
    const rows = this.#nodes.map(({ id, pid, endpoint }) => [
      id,
      `http://${endpoint.http}`,
      endpoint.resp,
      endpoint.grpc,
      endpoint.peer,
      pid ?? "-",
    ]);
    await this.#terminal.data(table(["NODE", "HTTP", "RESP", "GRPC", "PEERS", "PID"], rows));
    const first = nodes[0]?.http ?? "";
    const where = first === "127.0.0.1:7401" ? "" : ` --node http://${first}`;
    const count = nodes.length === 1 ? "1 node" : `${nodes.length} nodes`;
    const kept = isMemory ? "in memory only; logs in" : "in";
    const keys = this.#readsKeys()
      ? "Keys: k, p or r and a node's number kill, pause and revive it, c cuts it off, h heals; " +
        "q stops."
      : "Ctrl-C stops all nodes.";
    await this.#terminal.data(
      `\n${count}, ready in ${(elapsedMs / 1000).toFixed(1)} s: ` +
        `n=${n} r=${r} w=${w}, data ${kept} ${this.#shownPath()}\n${keys}\n\n` +
        `  npx coterie put greeting hello${where}\n`,
    );
  }

  async #act(order: DevOrder): Promise<DevActionResult> {
    const unknown = nodesIn(order).find((id) => !this.#nodes.some((node) => node.id === id));
    if (unknown !== undefined) return { ok: false, message: `there is no node ${unknown}` };
    if (order.kind === "cut" || order.kind === "heal") return this.#changeLinks(order);
    if (order.kind === "add") return this.#add(order.id);
    if (order.kind === "remove") return this.#remove(order.id);
    const { kind: action, id } = order;
    const node = this.#nodes.find((candidate) => candidate.id === id);
    if (node === undefined) return { ok: false, message: `there is no node ${id}` };
    if (action === "revive") return this.#revive(node);
    if (node.isDead()) return { ok: false, message: `${id} is dead already` };
    if (action === "kill") {
      await node.kill();
      return { ok: true, message: `${id} was killed (SIGKILL)` };
    }
    node.pause();
    this.#terminal.say(`${id} is paused; ${this.#revivalHint(node)}`);
    return { ok: true, message: `${id} is paused (SIGSTOP)` };
  }

  async #revive(node: DevNode): Promise<DevActionResult> {
    const wasAlive = !node.isDead();
    if (!wasAlive && this.#endpoints.isMemory) {
      return { ok: false, message: `${node.id} cannot come back: ${LOST_WITH_IT}` };
    }
    node.revive();
    await node.obeyCuts(this.#cutsOf(node));
    let isReady = await node.untilReady(READY_MS_MAX / 4);
    if (!isReady && wasAlive && node.isDead()) {
      // Somebody killed it a moment ago, and we had not noticed yet.
      node.revive();
      await node.obeyCuts(this.#cutsOf(node));
      isReady = await node.untilReady(READY_MS_MAX / 4);
    }
    if (!isReady && node.isDead() && (await this.#forgetIfOut(node))) {
      return { ok: false, message: `${node.id} is no member of the cluster any more` };
    }
    await this.#untilReunited([node]);
    const message = isReady
      ? `${node.id} is back (pid ${node.pid})`
      : `${node.id} did not come back; its log ends with\n${node.logTail()}`;
    // A failure is told to whoever asked.
    if (isReady) this.#terminal.say(message);
    return { ok: isReady, message };
  }

  /** One more process with a fresh directory, which joins the cluster. */
  async #add(asked: string | undefined): Promise<DevActionResult> {
    const numbers = this.#nodes.map(({ id }) => Number(id.slice(1)));
    const id = asked ?? `n${Math.max(...numbers) + 1}`;
    if (this.#nodes.some((node) => node.id === id)) {
      return { ok: false, message: `there is a node ${id} already` };
    }
    const endpoint = await endpointFor(id, this.#endpoints.nodes).catch((error: Error) => error);
    if (endpoint instanceof Error) return { ok: false, message: endpoint.message };
    this.#directory.removeNodeDirectory(id);
    this.#write([...this.#endpoints.nodes, endpoint]);
    const node = this.#newNode(endpoint);
    this.#nodes = [...this.#nodes, node];
    this.#cuts.add(id);
    node.start();
    const isWanted = (): boolean => !node.isDead() && !this.#isStopping;
    const problem = await this.#members.change({ join: [id] }, isWanted);
    const isReady = problem === undefined && (await node.untilReady(READY_MS_MAX));
    if (!isReady) {
      const why = problem ?? "it does not serve";
      return {
        ok: false,
        message: `${id} did not join: ${why}; its log ends with\n${node.logTail()}`,
      };
    }
    const message =
      `${id} has joined: http://${endpoint.http} (pid ${node.pid}); what moves to it, ` +
      "coterie topology shows";
    this.#terminal.say(message);
    return { ok: true, message };
  }

  /** A node hands over what it holds, is no member any more, and its process ends. */
  async #remove(id: string): Promise<DevActionResult> {
    const node = this.#nodes.find((candidate) => candidate.id === id);
    if (node === undefined) return { ok: false, message: `there is no node ${id}` };
    const isDead = node.isDead();
    const isWanted = (): boolean => !this.#isStopping;
    const change = isDead ? { remove: [id] } : { leave: [id] };
    const problem = await this.#members.change(change, isWanted);
    if (problem !== undefined) return { ok: false, message: `${id} cannot go: ${problem}` };
    this.#terminal.say(`${id} leaves: coterie topology shows how far it is`);
    if (isDead) await this.#forgetIfOut(node);
    while (isWanted() && this.#nodes.includes(node)) await sleep(REPORT_MS / 100);
    const isGone = !this.#nodes.includes(node);
    return { ok: isGone, message: isGone ? `${id} is no member any more` : `${id} still leaves` };
  }

  #write(nodes: readonly DevEndpoint[]): void {
    this.#endpoints = { ...this.#endpoints, nodes };
    this.#directory.writeEndpoints(this.#endpoints);
  }

  /** The cluster has a member less. */
  #forget(node: DevNode): void {
    this.#nodes = this.#nodes.filter((each) => each !== node);
    this.#cuts.remove(node.id);
    this.#write(this.#endpoints.nodes.filter(({ id }) => id !== node.id));
    this.#directory.removeNodeDirectory(node.id);
    this.#terminal.say(`${node.id} is no member any more; its directory was removed`);
  }

  async #changeLinks(
    order: DevOrder & { readonly kind: "cut" | "heal" },
  ): Promise<DevActionResult> {
    const apart = this.#nodes.filter((node) => this.#cuts.of(node.id).length > 0);
    if (order.kind === "cut") this.#cuts.cut(order.groups, order.isOneWay);
    else this.#cuts.heal(order.ids);
    await Promise.all(this.#nodes.map((node) => node.obeyCuts(this.#cutsOf(node))));
    if (order.kind === "heal") await this.#untilReunited(apart);
    const message = this.#cuts.describe();
    this.#terminal.say(message);
    return { ok: true, message };
  }

  #cutsOf({ id }: DevNode): readonly CutAddress[] {
    return this.#cuts.of(id).map((link) => {
      const peer = this.#nodes.find((node) => node.id === link.id);
      return { address: peer?.endpoint.peer ?? "", to: link.to, from: link.from };
    });
  }

  /** Waits until these nodes and the others have streams to each other, where links are whole. */
  async #untilReunited(returned: readonly DevNode[]): Promise<void> {
    const meetings = returned.flatMap((node) =>
      this.#nodes
        .filter((other) => other !== node && !other.isDead() && !node.isDead())
        .filter((other) => !this.#cuts.isCut(node.id, other.id))
        .map((other) => other.untilReaches(node, REUNION_MS_MAX)),
    );
    await Promise.all(meetings);
  }

  /** A node that is no member any more ends by itself. */
  async #noteDeath(node: DevNode, how: string): Promise<void> {
    if (!this.#hasStarted || this.#isStopping) return;
    if (how.startsWith("exit code") && (await this.#forgetIfOut(node))) return;
    if (this.#isStopping) return;
    const next = this.#endpoints.isMemory ? LOST_WITH_IT : this.#revivalHint(node);
    this.#terminal.say(`${node.id} died (${how}); ${next}`);
  }

  async #forgetIfOut(node: DevNode): Promise<boolean> {
    const isOut = (await this.#members.isOut(node.id)) === true;
    if (isOut && node.isDead() && this.#nodes.includes(node)) this.#forget(node);
    return isOut;
  }

  #revivalHint(node: DevNode): string {
    const data =
      this.#shownPath() === ".coterie/dev" ? "" : ` --data ${shellQuote(this.#directory.path)}`;
    const key = this.#readsKeys() ? `r ${node.id.slice(1)}, or ` : "";
    return `revive it with: ${key}coterie dev revive ${node.id}${data}`;
  }

  #shownPath(): string {
    const path = relative(process.cwd(), this.#directory.path);
    return path === "" || path.startsWith("..") ? this.#directory.path : path;
  }

  #readsKeys(): boolean {
    return this.#options.input && process.stdin instanceof ReadStream;
  }

  #openKeyboard(): { readonly close: () => void } | undefined {
    if (!this.#readsKeys() || !(process.stdin instanceof ReadStream)) return undefined;
    return readKeys(process.stdin, {
      act: (order) => {
        void this.#act(order).then(({ ok, message }) => {
          if (!ok) this.#terminal.say(message);
        });
      },
      quit: () => this.#interrupt(),
    });
  }

  /** The first time ends all nodes in order, the second time at once. */
  #interrupt(): void {
    if (!this.#isStopping) {
      if (this.#terminal.isInteractive) this.#terminal.say("stopping all nodes");
      return this.#stop();
    }
    for (const node of this.#nodes) void node.kill();
    this.#directory.removeControl();
    process.exit(exitCodes.failure);
  }

  #stop(): void {
    this.#isStopping = true;
    this.#settleStopped();
  }

  async #end(control: Server): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop(DRAIN_MS)));
    control.close();
    control.closeAllConnections();
    this.#members.close();
    this.#directory.removeControl();
  }
}
