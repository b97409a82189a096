import { CliFailure, exitCodes } from "../exit.ts";
import type { NoReply, Reply } from "../http/exchange.ts";
import { failureOf, reportedFailure } from "../http/failure.ts";
import type { NodePool } from "../http/node-pool.ts";

/** A key as one node holds it: a line of `GET /v1/find`. */
export interface HeldCopy {
  readonly bucket: string;
  /** base64url. */
  readonly key: string;
  /** 16 hex digits: its place in the order of all keys. */
  readonly token: string;
  readonly partition: number;
  readonly siblings: number;
  /** Of its record. */
  readonly bytes: number;
}

export interface FindPage {
  readonly copies: readonly HeldCopy[];
  /** Where the next page begins; `null` after the last one. */
  readonly cursor: string | null;
  /** False while the node lacks what damage took from it. */
  readonly isWhole: boolean;
}

export type FindPageOutcome =
  | { readonly ok: true; readonly page: FindPage }
  | { readonly ok: false; readonly reason: string; readonly retryable: boolean };

/** One page of what one node holds; `query` ends before the cursor. */
export async function findPage(
  pool: NodePool,
  node: URL,
  query: string,
  timeoutMs: number,
): Promise<FindPageOutcome> {
  const answer = await pool.ask(node, { method: "GET", path: `/v1/find?${query}` }, timeoutMs);
  return answer.ok ? pageIn(answer.reply) : noPage(answer);
}

function noPage({ message, reason }: NoReply): FindPageOutcome {
  // Who was silent for so long will be again.
  return { ok: false, reason: message, retryable: reason !== "timeout" };
}

function pageIn(reply: Reply): FindPageOutcome {
  if (reply.status !== 200) {
    const { code, message, retryable } = reportedFailure(reply);
    // What no node will answer is the end; anything else concerns this node.
    if (code === "bad-request" || code === "no-such-bucket") throw failureOf("find", reply);
    return { ok: false, reason: message, retryable };
  }
  const lines = reply.body.toString("utf8").trim().split("\n");
  try {
    const last = JSON.parse(lines.pop() ?? "") as FindPage;
    if (last.cursor === undefined) throw new Error("its last line names no cursor");
    const copies = lines.map((line) => JSON.parse(line) as HeldCopy);
    return { ok: true, page: { copies, cursor: last.cursor, isWhole: last.isWhole } };
  } catch (error) {
    const why = (error as Error).message;
    throw new CliFailure(
      exitCodes.failure,
      `find failed: the answer of ${reply.node.host} is no list of keys (${why})`,
    );
  }
}
