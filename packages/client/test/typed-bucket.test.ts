import { describe, expect, expectTypeOf, it, onTestFinished } from "vitest";
import { z } from "zod";
import { CoterieError, type Read, type StandardSchema, text } from "../src/index.ts";
import { FakeCluster, FakeCoterie } from "../src/testing/index.ts";

const cart = z.object({
  items: z.array(z.string()),
  since: z.string().transform((value) => new Date(value)),
});

function connect(): FakeCoterie {
  const cluster = new FakeCluster({ buckets: ["default", "carts"] });
  const coterie = new FakeCoterie({ cluster });
  onTestFinished(() => coterie.close());
  return coterie;
}

describe("a bucket with a schema", () => {
  it("takes what the schema takes, and gives what it makes of it", async () => {
    const coterie = connect();
    const carts = coterie.bucket("carts", { schema: cart });
    await carts.put("ada", { items: ["milk"], since: "2026-01-02T03:04:05Z" });
    const read = await carts.get("ada");
    expectTypeOf(read).toEqualTypeOf<Read<{ items: string[]; since: Date }>>();
    expect(read).toMatchObject({
      kind: "value",
      value: { items: ["milk"], since: new Date("2026-01-02T03:04:05Z") },
      contentType: "application/json",
    });
  });

  it("refuses a value that does not fit, and says where", async () => {
    const coterie = connect();
    const carts = coterie.bucket("carts", { schema: cart });
    const wrong = { items: ["milk", 7], since: "2026-01-02T03:04:05Z" } as unknown;
    const put = carts.put("ada", wrong as { items: string[]; since: string });
    await expect(put).rejects.toBeInstanceOf(CoterieError);
    await expect(put).rejects.toMatchObject({
      code: "invalid-value",
      outcome: "refused",
      retryable: false,
      issues: [{ path: ["items", 1] }],
    });
    expect(await carts.get("ada")).toMatchObject({ kind: "absent" });
  });

  it("refuses to hand out what does not fit, were it one sibling of two", async () => {
    const coterie = connect();
    const carts = coterie.bucket("carts", { schema: cart });
    await coterie.bucket("carts").put("ada", '{"items":"milk"}');
    await carts.put("ada", { items: [], since: "2026-01-02T03:04:05Z" });
    await expect(carts.get("ada")).rejects.toMatchObject({ code: "invalid-value" });
    // Untyped, it can still be seen and resolved.
    expect(await coterie.bucket("carts").get("ada")).toMatchObject({ kind: "siblings" });
  });

  it("waits for a schema that takes its time, in both directions", async () => {
    const coterie = connect();
    const even: StandardSchema<number> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: async (value) => {
          await Promise.resolve();
          if (typeof value === "number" && value % 2 === 0) return { value };
          return { issues: [{ message: "odd" }] };
        },
      },
    };
    const numbers = coterie.bucket("carts", { schema: even });
    await numbers.put("n", 2);
    await numbers.put("n", 4);
    const read = await numbers.get("n");
    expect(read.kind === "siblings" && read.values.toSorted((left, right) => left - right)).toEqual(
      [2, 4],
    );
    await expect(numbers.put("n", 3)).rejects.toMatchObject({ code: "invalid-value" });
    const [put, refused, got] = await numbers.batch([
      { kind: "put", key: "m", value: 6 },
      { kind: "put", key: "m", value: 7 },
      { kind: "get", key: "n" },
    ]);
    expect([put?.ok, refused?.ok, got?.ok]).toEqual([true, false, true]);
  });

  it("resolves typed siblings in an update", async () => {
    const coterie = connect();
    const names = coterie.bucket("carts", { schema: z.array(z.string()) });
    await names.put("cart", ["milk"]);
    await names.put("cart", ["bread"]);
    const { value } = await names.update("cart", (values) => values.flat().toSorted());
    expect(value).toEqual(["bread", "milk"]);
  });
});

describe("a bucket with a codec", () => {
  it("gives strings as strings, and refuses bytes that are none", async () => {
    const coterie = connect();
    const texts = coterie.bucket("default", { codec: text });
    await texts.put("k", "grüße");
    expect(await texts.get("k")).toMatchObject({ kind: "value", value: "grüße" });
    await coterie.put("k", Uint8Array.of(0xff), { ifAbsent: false });
    await expect(texts.get("k")).rejects.toMatchObject({ code: "invalid-value" });
  });
});
