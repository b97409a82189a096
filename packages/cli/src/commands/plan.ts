import { createInterface } from "node:readline/promises";
import { withPool, type NodeOptions } from "../connect.ts";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { fetchJson, jsonOf, type ClusterView } from "../http/cluster.ts";
import type { Reply } from "../http/exchange.ts";
import { failureOf, reportedFailure } from "../http/failure.ts";
import type { NodePool } from "../http/node-pool.ts";
import type { CommittedView, MembersChange, PlanView, TopologyView } from "../http/topology.ts";
import { durationText } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { planLines, planTable } from "../topology/plan-text.ts";
import { untilQuiet } from "../topology/until-quiet.ts";

/** Options of `coterie plan …` and of its short forms. */
export interface PlanOptions extends NodeOptions {
  /** Commits without asking. */
  readonly yes?: boolean;
  /** Ends when nothing moves any more. */
  readonly wait?: boolean;
}

/** A node tries for 10 seconds to have a change agreed. */
const changeMsMax = 15_000;
const headers = { "content-type": "application/json" };

/**
 * `coterie plan join n4` and so on: what a change of the members would come to. With `--yes` it is
 * done at once; `isAsked`: a person at a terminal is asked whether to do it.
 */
export function plan(
  words: string,
  change: MembersChange,
  options: PlanOptions,
  isAsked: boolean,
): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const what = `plan ${words}`;
    const body = Buffer.from(JSON.stringify(change));
    const request = { method: "POST", path: "/v1/plan", headers, body } as const;
    const reply = await pool.send(what, request, options.timeout ?? changeMsMax);
    if (reply.status !== 200) throw failureOf(what, reply);
    const planned = jsonOf(what, reply) as PlanView;
    if (options.json === true && options.yes !== true) {
      await terminal.data(`${JSON.stringify(planned)}\n`);
      return exitCodes.ok;
    }
    if (options.json !== true) await show(pool, terminal, planned);
    if (options.yes !== true && !(isAsked && (await isWanted(terminal)))) {
      const { host } = reply.node;
      const where = host === "127.0.0.1:7401" ? "" : ` --node http://${host}`;
      terminal.say(`nothing was changed; to do it: coterie commit ${planned.hash}${where}`);
      return exitCodes.ok;
    }
    return carryOut(pool, terminal, options, { what, hash: planned.hash, node: reply.node });
  });
}

/** `coterie commit HASH`: does what a plan has shown. */
export function commit(hash: string, options: PlanOptions): Promise<ExitCode> {
  return withPool(options, (pool, terminal) =>
    carryOut(pool, terminal, options, { what: `commit ${hash}`, hash, node: undefined }),
  );
}

/** `coterie plan abort`: takes back the moves that are not over. */
export function abort(options: PlanOptions): Promise<ExitCode> {
  return withPool(options, async (pool, terminal) => {
    const request = { method: "POST", path: "/v1/abort" } as const;
    const reply = await pool.send("plan abort", request, options.timeout ?? changeMsMax);
    if (reply.status !== 200) throw failureOf("plan abort", reply);
    const { epoch, partitions } = jsonOf("plan abort", reply) as CommittedView;
    const words =
      partitions === 0
        ? "nothing moved"
        : `the moves of ${partitions} partitions were taken back; epoch ${epoch}`;
    return conclude(pool, terminal, options, { epoch, partitions, words });
  });
}

async function show(pool: NodePool, terminal: Terminal, planned: PlanView): Promise<void> {
  const topology = (await fetchJson(pool, "plan", "/v1/topology")) as TopologyView;
  await terminal.data(planTable(planned));
  for (const line of planLines(planned, topology)) terminal.say(line);
}

async function isWanted(terminal: Terminal): Promise<boolean> {
  if (!process.stdin.isTTY || !terminal.isInteractive) return false;
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await questions.question("commit this plan? [y/N] ");
  questions.close();
  return /^y(es)?$/iu.test(answer.trim());
}

async function carryOut(
  pool: NodePool,
  terminal: Terminal,
  options: PlanOptions,
  { what, hash, node }: { what: string; hash: string; node: URL | undefined },
): Promise<ExitCode> {
  const timeoutMs = options.timeout ?? changeMsMax;
  const reply = await commitWhereKnown(pool, { what, hash, node, timeoutMs });
  if (reply.status !== 200) throw failureOf(what, reply);
  const { epoch, partitions } = jsonOf(what, reply) as CommittedView;
  const done = `committed, epoch ${epoch}`;
  const words =
    partitions === 0
      ? `${done}: nothing has to move`
      : `${done}: ${partitions} partitions move; coterie topology shows how far`;
  return conclude(pool, terminal, options, { epoch, partitions, words });
}

async function conclude(
  pool: NodePool,
  terminal: Terminal,
  options: PlanOptions,
  { epoch, partitions, words }: CommittedView & { readonly words: string },
): Promise<ExitCode> {
  if (options.json === true) await terminal.data(`${JSON.stringify({ epoch, partitions })}\n`);
  else terminal.say(words);
  if (options.wait !== true) return exitCodes.ok;
  const sinceMs = performance.now();
  await untilQuiet(pool, terminal, epoch);
  terminal.say(`nothing moves any more, after ${durationText(performance.now() - sinceMs)}`);
  return exitCodes.ok;
}

/** The node that made a plan remembers it: where it is not known, the others are asked for it. */
async function commitWhereKnown(
  pool: NodePool,
  order: {
    readonly what: string;
    readonly hash: string;
    readonly node: URL | undefined;
    readonly timeoutMs: number;
  },
): Promise<Reply> {
  const { what, hash, node, timeoutMs } = order;
  const body = Buffer.from(JSON.stringify({ hash }));
  const request = { method: "POST", path: "/v1/commit", headers, body } as const;
  if (node !== undefined) {
    const answer = await pool.ask(node, request, timeoutMs);
    if (answer.ok) return answer.reply;
    const message = `${what} failed at ${node.host}: ${answer.message}`;
    throw new CliFailure(
      exitCodes.unavailable,
      message,
      "coterie topology shows whether it was done",
    );
  }
  const first = await pool.send(what, request, timeoutMs);
  if (reportedFailure(first).code !== "no-such-plan") return first;
  const { members } = (await fetchJson(pool, what, "/v1/cluster")) as ClusterView;
  for (const { http } of members.filter((member) => member.http !== "")) {
    const answer = await pool.ask(new URL(`http://${http}`), request, timeoutMs);
    if (!answer.ok) continue;
    const isKnown = answer.reply.status === 200;
    if (isKnown || reportedFailure(answer.reply).code !== "no-such-plan") return answer.reply;
  }
  return first;
}
