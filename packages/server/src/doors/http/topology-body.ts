import type { AskedChange, ForcingOrder } from "@coterie/cluster";
import { type NodeId, parseNodeId } from "@coterie/core";
import { z } from "zod";
import { refuse } from "./responses.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });
/** Nodes that one change names at most, in each of its parts. */
const nodesMax = 1024;

const id = z
  .string()
  .refine((text) => parseNodeId(text) !== undefined, "that is no name of a node");
const label = z.string().max(255);
const ids = z.array(id).max(nodesMax).optional();
const changeShape = {
  join: ids,
  leave: ids,
  remove: ids,
  replace: z
    .array(z.strictObject({ id, by: id, dead: z.boolean().optional() }))
    .max(nodesMax)
    .optional(),
  set: z
    .array(
      z.strictObject({
        id,
        weight: z.number().int().min(1).max(1_000_000).optional(),
        zone: label.optional(),
        host: label.optional(),
      }),
    )
    .max(nodesMax)
    .optional(),
};
const change = z.strictObject(changeShape);
const forcing = z.strictObject({
  voters: z.array(id).min(1).max(nodesMax),
  confirm: z.string().max(4096),
  by: z.string().min(1).max(128),
});
const commitment = z.strictObject({ ...changeShape, hash: z.string().regex(/^[0-9a-f]{1,32}$/u) });

/** Reads which change of the members a plan is asked for, or says what is wrong with the body. */
export function parseTopologyBody(body: Uint8Array): AskedChange | Response {
  const parsed = parse(change, body);
  return parsed instanceof Response ? parsed : changeOf(parsed);
}

/** Reads which plan is to be carried out: its hash, and the change unless that is remembered. */
export function parseCommitBody(
  body: Uint8Array,
): { readonly hash: string; readonly change?: AskedChange } | Response {
  const parsed = parse(commitment, body);
  if (parsed instanceof Response) return parsed;
  const { hash, ...rest } = parsed;
  return Object.keys(rest).length === 0 ? { hash } : { hash, change: changeOf(rest) };
}

/** Reads which voters are left, who says so, and the names of the others that he has typed. */
export function parseForcingBody(body: Uint8Array): ForcingOrder | Response {
  const parsed = parse(forcing, body);
  if (parsed instanceof Response) return parsed;
  return { ...parsed, voters: parsed.voters as readonly string[] as readonly NodeId[] };
}

function parse<Body>(schema: z.ZodType<Body>, body: Uint8Array): Body | Response {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch {
    return refuse("bad-request", "a change of the members is a JSON object");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    if (issue.code === "unrecognized_keys") return `a change has no ${issue.keys.join(", ")}`;
    const at = issue.path.join(".");
    return at === "" ? "a change of the members is a JSON object" : `${at}: ${issue.message}`;
  });
  return refuse("bad-request", problems.join("; ").slice(0, 500));
}

/** Names were checked; what was left out is left out. */
function changeOf({ join, leave, remove, replace, set }: z.infer<typeof change>): AskedChange {
  const named = (list: readonly string[]): readonly NodeId[] => list as readonly NodeId[];
  return {
    ...(join !== undefined && { join: named(join) }),
    ...(leave !== undefined && { leave: named(leave) }),
    ...(remove !== undefined && { remove: named(remove) }),
    ...(replace !== undefined && {
      replace: replace.map((each) => ({
        id: each.id as NodeId,
        by: each.by as NodeId,
        ...(each.dead !== undefined && { dead: each.dead }),
      })),
    }),
    ...(set !== undefined && {
      set: set.map((each) => ({
        id: each.id as NodeId,
        ...(each.weight !== undefined && { weight: each.weight }),
        ...(each.zone !== undefined && { zone: each.zone }),
        ...(each.host !== undefined && { host: each.host }),
      })),
    }),
  };
}
