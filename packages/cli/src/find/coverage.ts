import type { NodeHoldings } from "./node-holdings.ts";

/** Whose copies of which partitions were looked at. */
export interface Coverage {
  /** Partitions that were asked for. */
  readonly partitions: number;
  readonly byAll: number;
  readonly bySome: readonly PartlyAnswered[];
  /** Of these partitions nobody has answered. */
  readonly byNone: readonly number[];
}

export interface PartlyAnswered {
  readonly partition: number;
  readonly answered: readonly string[];
  readonly missing: readonly string[];
}

export interface CoverageQuery {
  /** Per partition the ids of its replicas: of those that are to be asked. */
  readonly replicas: readonly (readonly string[])[];
  readonly nodes: readonly NodeHoldings[];
  /** The cursor at which the search began. */
  readonly from: string | undefined;
  /** The token at which it ended early. */
  readonly until: string | undefined;
}

/** Which replicas answered for the partitions between two tokens, each to its end. */
export function coverageOf({ replicas, nodes, from, until }: CoverageQuery): Coverage {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const bySome: PartlyAnswered[] = [];
  const byNone: number[] = [];
  let partitions = 0;
  let byAll = 0;
  for (const [partition, ids] of replicas.entries()) {
    const last = lastTokenOf(partition, replicas.length);
    const isAsked = (from === undefined || last > from) && (until === undefined || last <= until);
    if (!isAsked || ids.length === 0) continue;
    partitions += 1;
    const answered = ids.filter((id) => byId.get(id)?.hasReached(last) === true);
    const missing = ids.filter((id) => !answered.includes(id));
    if (missing.length === 0) byAll += 1;
    else if (answered.length === 0) byNone.push(partition);
    else bySome.push({ partition, answered, missing });
  }
  return { partitions, byAll, bySome, byNone };
}

/** Of 2^32 positions of a token's upper half. */
const span = 0x1_0000_0000;

function lastTokenOf(partition: number, partitions: number): string {
  const high = Math.ceil(((partition + 1) * span) / partitions) - 1;
  return `${high.toString(16).padStart(8, "0")}ffffffff`;
}

/** How far a token is, as a number from 0 to 2^32. */
export function positionOf(token: string): number {
  return token === "" ? 0 : Number.parseInt(token.slice(0, 8), 16);
}

/** Where {@link positionOf} ends. */
export const positionMax: number = span;
