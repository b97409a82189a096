import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { OperationBatch, ResultBatch, decodeAck, decodeBatch } from "../src/index.ts";

const page = readFileSync(
  new URL("../../../docs/internals/wire-format.md", import.meta.url),
  "utf8",
);

/** The bytes of the code block under a heading: hex, with what each means after two spaces. */
function exampleUnder(heading: string): Buffer {
  const [, block = ""] =
    new RegExp(`### ${heading}\\n[^]*?\`\`\`\\n([^]*?)\`\`\``, "u").exec(page) ?? [];
  const digits = block
    .split("\n")
    .map((line) => line.trimStart().split("  ")[0]?.replaceAll(" ", ""));
  return Buffer.from(digits.join(""), "hex");
}

describe("the worked example of the wire format's page", () => {
  it("is the batch that it describes", () => {
    const stamp = { epoch: 1, tag: 0xc0ffee };
    const key = new TextEncoder().encode("cart");
    const batch = new OperationBatch();
    const merge = { kind: "merge" as const, fence: 0, stamp, record: Uint8Array.of(1, 2, 3) };
    batch.add(1, 3000.5, merge);
    const read = { kind: "read" as const, stamp, bucket: "default", key };
    batch.add(2, 3000.5, read);
    const bytes = batch.take(1000.5);
    expect(exampleUnder("A batch")).toEqual(Buffer.from(bytes));
    expect(decodeBatch(exampleUnder("A batch"))).toEqual({
      ok: true,
      sentMs: 1000.5,
      operations: [
        { id: 1, deadline: 3000.5, request: merge },
        { id: 2, deadline: 3000.5, request: read },
      ],
    });
  });

  it("is the ack that it describes", () => {
    const batch = new ResultBatch();
    const refused = {
      kind: "refused" as const,
      code: "expired" as const,
      outcome: "refused" as const,
      message: "",
      primaries: 0,
      fallbacks: 0,
    };
    batch.add(1, { kind: "merged", changed: true });
    batch.add(2, refused);
    expect(exampleUnder("An ack")).toEqual(Buffer.from(batch.take()));
    expect(decodeAck(exampleUnder("An ack"))).toEqual({
      ok: true,
      results: [
        { id: 1, response: { kind: "merged", changed: true } },
        { id: 2, response: refused },
      ],
    });
  });
});
