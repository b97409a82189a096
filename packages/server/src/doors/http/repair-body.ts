import type { PartitionId } from "@coterie/core";
import { refuse } from "./responses.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });
const partitionMax = 0xffff_ffff;

/** Reads which partitions a repair is asked for, or says what is wrong with the JSON body. */
export function parseRepairBody(body: Uint8Array): readonly PartitionId[] | "all" | Response {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch {
    return malformed();
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return malformed();
  const { partitions, ...rest } = value as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    return refuse("bad-request", `a repair has no option ${JSON.stringify(unknown.slice(0, 40))}`);
  }
  if (partitions === "all") return partitions;
  if (!Array.isArray(partitions) || partitions.length === 0) return malformed();
  return partitions.every(isPartition) ? partitions : malformed();
}

function isPartition(value: unknown): value is PartitionId {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= partitionMax;
}

function malformed(): Response {
  const message = 'a repair is {"partitions":"all"}, or a list of their numbers';
  return refuse("bad-request", message);
}
