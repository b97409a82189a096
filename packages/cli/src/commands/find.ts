import { withPool, type NodeOptions } from "../connect.ts";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { type Coverage, coverageOf, positionMax, positionOf } from "../find/coverage.ts";
import { findPage } from "../find/find-page.ts";
import { type FoundKey, horizonOf, mergedHoldings } from "../find/merged-holdings.ts";
import { FoundTable } from "../find/found-table.ts";
import { NodeHoldings } from "../find/node-holdings.ts";
import { DEFAULT_TIMEOUT_MS } from "../http/bucket-client.ts";
import { fetchJson, sortedMembers, type ClusterView, type RingView } from "../http/cluster.ts";
import type { NodePool } from "../http/node-pool.ts";
import type { Terminal } from "../terminal.ts";
import { showProgress } from "../transfer/progress-line.ts";

/** Options of `coterie find`; one of the first three. */
export interface FindOptions extends NodeOptions {
  readonly siblings?: number;
  readonly tombstones?: boolean;
  readonly largerThan?: number;
  readonly bucket?: string;
  /** Ids of the nodes whose copies are looked at; all if left out. */
  readonly replica?: readonly string[];
  readonly limit?: number;
  readonly cursor?: string;
}

const PAGE_KEYS = 500;

/**
 * `coterie find`: keys with siblings, tombstones or large records at any replica, as each of them
 * holds it. Exits 1 unless every replica of every partition has answered.
 */
export function find(options: FindOptions): Promise<ExitCode> {
  const like = likeOf(options);
  return withPool(options, async (pool, terminal) => {
    const search = await Search.begin(pool, terminal, options, like);
    return search.toTheEnd();
  });
}

/** What is looked for, as a query says it. */
function likeOf({ siblings, tombstones, largerThan }: FindOptions): string {
  const likes = [
    ...(siblings === undefined ? [] : [`siblings=${siblings}`]),
    ...(tombstones === true ? ["tombstones=true"] : []),
    ...(largerThan === undefined ? [] : [`larger_than=${largerThan}`]),
  ];
  const [like] = likes;
  if (like !== undefined && likes.length === 1) return like;
  const what = "find takes one of --siblings N, --tombstones and --larger-than BYTES";
  throw new CliFailure(exitCodes.usage, what);
}

interface Shape {
  /** Per partition the ids of its replicas that are asked. */
  readonly replicas: readonly (readonly string[])[];
  readonly table: FoundTable;
}

class Search {
  readonly #terminal: Terminal;
  readonly #options: FindOptions;
  readonly #nodes: readonly NodeHoldings[];
  readonly #replicas: readonly (readonly string[])[];
  readonly #table: FoundTable;
  #found = 0;
  /** Where it ended early: at the limit, or when it was interrupted. */
  #until: string | undefined;
  #isInterrupted = false;

  private constructor(
    terminal: Terminal,
    options: FindOptions,
    nodes: readonly NodeHoldings[],
    { replicas, table }: Shape,
  ) {
    this.#terminal = terminal;
    this.#options = options;
    this.#nodes = nodes;
    this.#replicas = replicas;
    this.#table = table;
  }

  static async begin(
    pool: NodePool,
    terminal: Terminal,
    options: FindOptions,
    like: string,
  ): Promise<Search> {
    const cluster = (await fetchJson(pool, "find", "/v1/cluster")) as ClusterView;
    const { owners } = (await fetchJson(pool, "find", "/v1/ring")) as RingView;
    const { bucket, replica, timeout = DEFAULT_TIMEOUT_MS } = options;
    const members = sortedMembers(cluster);
    const wanted = new Set(replica ?? members.map(({ id }) => id));
    for (const id of wanted) {
      if (members.some((member) => member.id === id)) continue;
      const known = members.map((member) => member.id).join(", ");
      throw new CliFailure(exitCodes.notFound, `there is no node ${id}`, `one of ${known}`);
    }
    const copies = cluster.buckets.find(({ name }) => name === bucket)?.n;
    const replicas = owners.map((ids) => ids.slice(0, copies).filter((id) => wanted.has(id)));
    const query = `${like}&limit=${PAGE_KEYS}${bucket === undefined ? "" : `&bucket=${bucket}`}`;
    const nodes = members
      .filter(({ id }) => wanted.has(id))
      .map(({ id, http }) => {
        return new NodeHoldings(id, options.cursor, async (cursor) => {
          const asked = cursor === undefined ? query : `${query}&cursor=${cursor}`;
          if (http !== "") return findPage(pool, new URL(`http://${http}`), asked, timeout);
          return { ok: false, reason: "it has no HTTP door", retryable: false };
        });
      });
    const names = cluster.buckets.map(({ name }) => name);
    const shape = { replicas, table: new FoundTable(replicas, names) };
    return new Search(terminal, options, nodes, shape);
  }

  async toTheEnd(): Promise<ExitCode> {
    const stop = (): void => {
      this.#isInterrupted = true;
    };
    process.once("SIGINT", stop).once("SIGTERM", stop);
    const before = positionOf(this.#options.cursor ?? "");
    const progress = showProgress(this.#terminal, "keys found", () => ({
      count: this.#found,
      bytes: positionOf(horizonOf(this.#nodes) ?? ""),
      bytesTotal: positionMax,
      bytesBefore: before,
    }));
    try {
      await this.#showAll();
    } finally {
      progress.stop();
      process.off("SIGINT", stop).off("SIGTERM", stop);
    }
    return this.#report();
  }

  async #showAll(): Promise<void> {
    for await (const keys of mergedHoldings(this.#nodes)) {
      const shown = this.#withinLimit(keys);
      await this.#show(shown);
      const last = shown.at(-1);
      const horizon = horizonOf(this.#nodes);
      if (last !== undefined && this.#found >= (this.#options.limit ?? Infinity)) {
        // Nothing may be left after it.
        if (horizon !== undefined || shown.length < keys.length) this.#until = last.token;
        return;
      }
      if (this.#isInterrupted && horizon !== undefined) {
        this.#until = horizon;
        return;
      }
    }
  }

  /** As many as may still be shown, and those that have the last one's token. */
  #withinLimit(keys: readonly FoundKey[]): readonly FoundKey[] {
    const { limit = Infinity } = this.#options;
    const left = limit - this.#found;
    const last = keys[left - 1];
    return last === undefined ? keys : keys.filter(({ token }) => token <= last.token);
  }

  async #show(keys: readonly FoundKey[]): Promise<void> {
    if (keys.length === 0) return;
    const isJson = this.#options.json === true;
    const lines = keys.map((key) => (isJson ? JSON.stringify(key) : this.#table.row(key)));
    if (this.#found === 0 && !isJson) lines.unshift(this.#table.header);
    this.#found += keys.length;
    if (this.#terminal.isInteractive) this.#terminal.update("");
    await this.#terminal.data(`${lines.join("\n")}\n`);
  }

  async #report(): Promise<ExitCode> {
    const terminal = this.#terminal;
    const until = this.#until;
    const coverage = coverageOf({
      replicas: this.#replicas,
      nodes: this.#nodes,
      from: this.#options.cursor,
      until,
    });
    const problems = this.#nodes.flatMap(({ id, problem }) =>
      problem === undefined ? [] : [{ node: id, reason: problem }],
    );
    const damaged = this.#nodes.filter(({ isWhole }) => !isWhole).map(({ id }) => id);
    if (this.#options.json === true) {
      const end = { cursor: until ?? null, found: this.#found, coverage, problems, damaged };
      await terminal.data(`${JSON.stringify(end)}\n`);
    }
    terminal.say(`${this.#found} keys found; ${coverageText(coverage)}`);
    for (const { node, reason } of problems) terminal.say(`${node} does not answer: ${reason}`);
    for (const id of damaged) {
      terminal.say(`${id} lacks what damage took from it: it may have held more`);
    }
    if (until !== undefined) terminal.say(`there may be more: ${this.#again(until)}`);
    if (this.#isInterrupted && until !== undefined) return exitCodes.failure;
    const isComplete = coverage.byAll === coverage.partitions && damaged.length === 0;
    return isComplete ? exitCodes.ok : exitCodes.failure;
  }

  /** The command that goes on. */
  #again(cursor: string): string {
    const { siblings, largerThan, bucket } = this.#options;
    const like =
      siblings === undefined
        ? largerThan === undefined
          ? "--tombstones"
          : `--larger-than ${largerThan}`
        : `--siblings ${siblings}`;
    const where = bucket === undefined ? "" : ` --bucket ${bucket}`;
    const replicas = (this.#options.replica ?? []).map((id) => ` --replica ${id}`).join("");
    return `coterie find ${like}${where}${replicas} --cursor ${cursor}`;
  }
}

function coverageText({ partitions, byAll, bySome, byNone }: Coverage): string {
  if (byAll === partitions) return `all replicas of ${partitions} partitions answered`;
  const parts = [`of ${partitions} partitions ${byAll} were answered by all replicas`];
  const missing = new Set(bySome.flatMap((each) => each.missing));
  if (bySome.length > 0) {
    parts.push(`${bySome.length} by some, without ${[...missing].toSorted().join(", ")}`);
  }
  if (byNone.length > 0) parts.push(`${byNone.length} by none: ${byNone.join(", ")}`);
  return parts.join("; ");
}
