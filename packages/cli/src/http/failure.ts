import { CliFailure, exitCodes, exitOfStatus } from "../exit.ts";
import type { NoReply, Reply } from "./exchange.ts";

/** What a node says of a failure in its JSON body, as far as it can be read. */
export interface ReportedFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly retryable: boolean;
}

/** The failure in a reply of status 400 or more. */
export function reportedFailure({ status, body }: Reply): ReportedFailure {
  let fields: Readonly<Record<string, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    if (typeof parsed === "object" && parsed !== null) fields = { ...parsed };
  } catch {
    // Not JSON: something between us and the node answered, and its status must do.
  }
  const text = (name: string): string | undefined => {
    const field = fields[name];
    return typeof field === "string" && field !== "" ? field : undefined;
  };
  return {
    code: text("code") ?? `http-${status}`,
    message: text("message") ?? (body.toString("utf8").slice(0, 200).trim() || "no reason given"),
    hint: text("hint"),
    retryable: fields["retryable"] === true || [429, 502, 503, 504].includes(status),
  };
}

/** Turns a node's refusal into the end of the command. `what` says what was tried. */
export function failureOf(what: string, reply: Reply): CliFailure {
  const { code, message, hint } = reportedFailure(reply);
  const why = message.startsWith(code) ? message : `${code}: ${message}`;
  const outcome =
    reply.headers["coterie-outcome"] === "unknown" ? " (it may have been done all the same)" : "";
  return new CliFailure(
    exitOfStatus(reply.status),
    `${what} failed at ${reply.node.host}: ${why}${outcome}`,
    hint,
  );
}

/** The end of the command when no node answered at all. */
export function unreachable(what: string, misses: readonly NoReply[]): CliFailure {
  const reasons = misses.map(({ node, message }) => `${node.host}: ${message}`).join("; ");
  const noneListens = misses.every(({ reason }) => reason === "refused");
  return new CliFailure(
    exitCodes.unavailable,
    `${what} failed: no node answered (${reasons})`,
    noneListens
      ? "start a cluster with `coterie dev`, or name a node with --node URL or COTERIE_NODES"
      : "the same line again, or another node with --node URL; `coterie status` shows who is up",
  );
}
