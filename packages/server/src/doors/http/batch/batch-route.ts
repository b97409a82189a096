import { failureResponse } from "../responses.ts";
import type { RouteRequest } from "../route.ts";
import { BatchStory } from "./batch-story.ts";

const lineType = "application/x-ndjson";

/** How long a line of a batch may take to arrive, in milliseconds. */
const linePatienceMs = 60_000;

/** `POST /v1/batch`: NDJSON both ways. */
export function serveBatch({ parts, context, facts }: RouteRequest): Response {
  const { node } = parts;
  const encoding = facts.header("content-encoding");
  // A page of another site cannot send this type unasked, as it could a form or plain text.
  const type = facts.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== lineType || (encoding !== undefined && encoding !== "identity")) {
    return failureResponse({
      code: "bad-request",
      status: 415,
      message: `a batch is sent as Content-Type: ${lineType}, and not encoded`,
      outcome: "refused",
      headers: { Connection: "close" },
    });
  }
  const missing = node.missing();
  if (missing.length > 0) {
    return failureResponse({
      code: "not-ready",
      message: `${node.id} waits for: ${missing.join("; ")}`,
      outcome: "refused",
      headers: { Connection: "close" },
    });
  }
  const story = new BatchStory({ ...parts, patienceMs: parts.linePatienceMs ?? linePatienceMs });
  if (facts.header("expect") !== undefined) facts.continueBody();
  const chunks = facts.incoming?.iterator({ destroyOnReturn: false }) ?? context.req.raw.body;
  void story.run(chunks ?? noChunks());
  return new Response(story.body, { headers: { "Content-Type": lineType } });
}

async function* noChunks(): AsyncGenerator<Uint8Array> {}
