import { ContextSeal } from "@coterie/core";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { sha256 } from "../../src/adapters/sha256.ts";

const bytes = fc.uint8Array({ maxLength: 3000, size: "max" });
const clusterKey = fc.uint8Array({ maxLength: 32 });

it("the platform tags as our own hash does, whatever was tagged before", () => {
  fc.assert(
    fc.property(clusterKey, fc.array(bytes, { maxLength: 5 }), (key, inputs) => {
      const own = new ContextSeal(key);
      const platform = new ContextSeal(key, sha256);
      for (const input of inputs) {
        expect([...platform.tag(input)]).toEqual([...own.tag(input)]);
      }
    }),
  );
});
