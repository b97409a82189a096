import { type GivenBucket, limits } from "@coterie/core";
import { z } from "zod";
import { nearestName } from "./nearest-name.ts";

const schema = z.strictObject({
  policy: z.enum(["siblings", "lww"]).optional(),
  n: z.number().int().min(1).optional(),
  r: z.number().int().min(1).optional(),
  w: z.number().int().min(1).optional(),
  pr: z.number().int().min(0).optional(),
  pw: z.number().int().min(0).optional(),
  allowStale: z.boolean().optional(),
  mode: z.enum(["strict", "sloppy"]).optional(),
  ttlMs: z.number().int().min(0).max(limits.ttlMsMax).optional(),
});

/** What a file, or a request, may say of a bucket. */
export const givenBucket: z.ZodType<GivenBucket> = schema;

export type GivenBucketOutcome =
  | { readonly ok: true; readonly given: GivenBucket }
  | { readonly ok: false; readonly message: string };

/** Checks what a request says of a bucket. */
export function givenBucketFrom(value: unknown): GivenBucketOutcome {
  const parsed = givenBucket.safeParse(value);
  if (parsed.success) return { ok: true, given: parsed.data };
  const problems = parsed.error.issues.map((issue) => {
    if (issue.code === "unrecognized_keys") return issue.keys.map(unknownBucketSetting).join("; ");
    const setting = issue.path.join(".");
    return setting === ""
      ? "the settings of a bucket are a JSON object"
      : `${setting}: ${issue.message}`;
  });
  return { ok: false, message: problems.join("; ") };
}

/** Why a setting that a bucket does not have was perhaps meant as another one. */
export function unknownBucketSetting(name: string): string {
  const near = nearestName(name, Object.keys(schema.shape));
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return `unknown setting "${name}" of a bucket${hint}`;
}
