import * as fc from "fast-check";
import { expect, it } from "vitest";
import { TokenSet } from "../../src/handoff/token-set.ts";

// Few values, so that tokens meet again, share a half, and land in the same places.
const half = fc.oneof(fc.nat({ max: 20 }), fc.constant(0xffff_ffff), fc.nat({ max: 0xffff_ffff }));
const token = fc.record({ high: half, low: half });

it("holds what was added, each once", () => {
  fc.assert(
    fc.property(fc.array(token, { maxLength: 300 }), (tokens) => {
      const set = new TokenSet();
      const model = new Set<string>();
      for (const each of tokens) {
        const name = `${each.high}:${each.low}`;
        expect(set.add(each)).toBe(!model.has(name));
        model.add(name);
        expect(set.size).toBe(model.size);
      }
      expect(new Set([...set].map(({ high, low }) => `${high}:${low}`))).toEqual(model);
      expect([...set].length).toBe(model.size);
    }),
  );
});
