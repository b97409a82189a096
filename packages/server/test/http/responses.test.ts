import { type ErrorCode, errorTable } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { failureResponse } from "../../src/doors/http/responses.ts";
import { oneNode } from "./one-node.ts";

const codes = Object.keys(errorTable) as ErrorCode[];

describe("a failure at the HTTP door", () => {
  it.each(codes)("%s has the status and the words of the table", async (code) => {
    const acks = { primaries: 1, fallbacks: 0, required: 2 };
    const response = failureResponse({ code, message: "why", outcome: "unknown", acks });
    const { http, hint, retryable } = errorTable[code];
    expect(response.status).toBe(http);
    expect(response.headers.get("coterie-outcome")).toBe("unknown");
    expect(response.headers.has("retry-after")).toBe(http === 429 || http === 503);
    const message = `${code}: why`;
    expect(await response.json()).toEqual({
      code,
      message,
      hint,
      retryable,
      outcome: "unknown",
      acks,
    });
  });
});

it("a path that leads nowhere is answered with where others are listed", async () => {
  const { app } = await oneNode();
  const answer = await app.request("http://localhost/nowhere");
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({
    message: "not-found: there is no /nowhere",
    hint: expect.stringContaining("GET / lists the routes"),
  });
});
