import { md5 } from "@noble/hashes/legacy.js";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { md5Head } from "../../src/bytes/md5.ts";
import { utf8 } from "../../src/bytes/text.ts";

/** The same by a library. */
function expected(text: string, bytes: Uint8Array): { high: number; low: number } {
  const message = Uint8Array.of(...utf8(text), 0, ...bytes);
  const view = new DataView(md5(message).buffer);
  return { high: view.getUint32(0), low: view.getUint32(4) };
}

describe("the head of an MD5", () => {
  it("is what the library computes, whatever came before it", () => {
    const text = fc.string({
      minLength: 1,
      maxLength: 64,
      unit: fc.constantFrom("a", "z", "0", "9", ".", "_", "-"),
    });
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(text, bytes, (name, key) => {
        expect(md5Head(name, key)).toEqual(expected(name, key));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([1, 46, 47, 48, 55, 56, 63, 64, 110, 111, 112, 2048, 2170, 2300, 9000])(
    "is right for a key of %i bytes, wherever the padding ends",
    (length) => {
      const key = Uint8Array.from({ length }, (_, index) => index * 31);
      expect(md5Head("default", key)).toEqual(expected("default", key));
    },
  );
});
