import type { BucketChange } from "@coterie/core";
import { problemWithBucket } from "../request-checks.ts";
import { readBody } from "./body.ts";
import { parseBucketBody } from "./bucket-body.ts";
import { failureResponse, jsonResponse, refuse } from "./responses.ts";
import type { RouteRequest } from "./route.ts";

/** Settings are short. */
const bodyBytesMax = 64 * 1024;

/**
 * `PUT /v1/buckets/{bucket}`: the bucket is to have just these settings; with `If-None-Match: *` it
 * is created and never changed. `PATCH`: what is in the body changes, the rest stays.
 */
export async function serveBucketChange(request: RouteRequest): Promise<Response> {
  const { parts, facts, values } = request;
  const [name = ""] = values;
  const problem = problemWithBucket(name);
  if (problem !== undefined) return refuse(problem.code, problem.message);
  if (facts.query !== "") return refuse("bad-request", "a bucket's settings are in the body");
  const intent = intentOf(request);
  if (intent instanceof Response) return intent;
  const body = await readBody(request.context, facts, bodyBytesMax, parts.budget);
  if (body instanceof Response) return body;
  const given = parseBucketBody(name, body);
  if (given instanceof Response) return given;
  const outcome = await parts.node.changeBucket({ intent, name, given });
  if (!outcome.ok) {
    const { code, message } = outcome;
    return failureResponse({ code, message, outcome: outcome.outcome });
  }
  const { bucket, result, epoch } = outcome;
  return jsonResponse({ ...bucket, result, epoch }, result === "created" ? 201 : 200);
}

function intentOf({ facts }: RouteRequest): BucketChange["intent"] | Response {
  const condition = facts.header("if-none-match");
  if (facts.header("if-match") !== undefined) {
    return refuse("not-yet", "If-Match is not understood; PATCH changes a bucket that exists");
  }
  if (condition === undefined) return facts.method === "PATCH" ? "change" : "put";
  if (facts.method === "PUT" && condition === "*") return "create";
  return refuse("bad-request", "only PUT knows If-None-Match, and only as *");
}
