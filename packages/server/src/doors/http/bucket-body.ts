import type { GivenBucket } from "@coterie/core";
import { givenBucketFrom } from "../../config/given-bucket.ts";
import { refuse } from "./responses.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads the JSON body of a request that creates or changes the bucket `name`, or says what is wrong
 * with it. The bucket's name may be in it, so that what a GET answers can be sent back.
 */
export function parseBucketBody(name: string, body: Uint8Array): GivenBucket | Response {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch {
    return refuse("bad-request", "the settings of a bucket are a JSON object");
  }
  const named = value as { readonly name?: unknown } | null;
  if (typeof value === "object" && named?.name !== undefined) {
    if (named.name !== name) return refuse("bad-request", `the body names another bucket`);
    const { name: _, ...rest } = value as Record<string, unknown>;
    value = rest;
  }
  const given = givenBucketFrom(value);
  return given.ok ? given.given : refuse("bad-request", given.message);
}
