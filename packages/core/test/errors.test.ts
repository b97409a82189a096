import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CoterieError, type ErrorCode, errorTable } from "../src/index.ts";

const page = readFileSync(new URL("../../../docs/guide/errors.md", import.meta.url), "utf8");
const rows = Object.entries(errorTable);

/** HTTP statuses by the gRPC status that says the same to a client's retry logic. */
const httpOf: Readonly<Record<string, readonly number[]>> = {
  INVALID_ARGUMENT: [400],
  NOT_FOUND: [404],
  FAILED_PRECONDITION: [409, 412],
  RESOURCE_EXHAUSTED: [413, 429, 503],
  UNIMPLEMENTED: [501],
  UNAVAILABLE: [503],
  DEADLINE_EXCEEDED: [504],
  INTERNAL: [500],
};

describe("the table of errors", () => {
  it.each(rows)("explains %s as docs/guide/errors.md does", (code, row) => {
    const cells = [row.http, `\`${row.grpc}\``, `\`${row.resp}\``, row.exit];
    const facts = [...cells, row.retryable ? "yes" : "no", row.hint].join(" | ");
    const line = page.split("\n").find((text) => text.startsWith(`| \`${code}\` | `));
    expect(line).toBeDefined();
    expect(line?.endsWith(` | ${facts} |`)).toBe(true);
  });

  it.each(rows)("maps %s to statuses that agree with each other", (_, row) => {
    expect(httpOf[row.grpc]).toContain(row.http);
    expect(row.resp).toMatch(/^[A-Z]+$/u);
    expect(row.hint.length).toBeGreaterThan(10);
  });

  it.each(rows)("tells a client the same about retrying %s at every door", (_, row) => {
    const isTemporary = [429, 503, 504].includes(row.http);
    expect(row.retryable).toBe(isTemporary);
    expect(row.exit === 4).toBe(isTemporary);
  });

  it("documents no code that does not exist", () => {
    const documented = [...page.matchAll(/^\| `([a-z-]+)` \|/gmu)].map(([, code]) => code);
    expect(new Set(documented)).toEqual(new Set(Object.keys(errorTable)));
  });
});

describe("an error thrown at a door", () => {
  it.each<[ErrorCode, boolean]>([
    ["timeout", true],
    ["bad-context", false],
  ])("begins with its code %s, and knows whether to retry", (code, retryable) => {
    const cause = new Error("below");
    const error = new CoterieError(code, "what happened", { cause });
    expect(error.message).toBe(`${code}: what happened`);
    expect([error.code, error.retryable, error.cause]).toEqual([code, retryable, cause]);
  });
});
