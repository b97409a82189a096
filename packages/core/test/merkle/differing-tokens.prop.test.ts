import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type TreeEntry, compareTokens, differingTokens } from "../../src/index.ts";

/** Few tokens and few digests, so that there are many alike. */
const few = fc.record({ high: fc.nat(3), low: fc.nat(2) });
const entries = fc
  .array(fc.record({ token: few, digest: few }), { maxLength: 12 })
  .map((listed) => listed.toSorted((left, right) => compareTokens(left.token, right.token)));

/** The digests under each token, as text. */
function byToken(listed: readonly TreeEntry[]): ReadonlyMap<string, string> {
  const digests = new Map<string, string[]>();
  for (const { token, digest } of listed) {
    const name = JSON.stringify(token);
    digests.set(name, [...(digests.get(name) ?? []), JSON.stringify(digest)].toSorted());
  }
  return new Map([...digests].map(([name, each]) => [name, each.join(" ")]));
}

it("tokens differ where not the same digests are listed, in whatever order", () => {
  fc.assert(
    fc.property(entries, entries, (ours, theirs) => {
      const own = byToken(ours);
      const their = byToken(theirs);
      const names = new Set([...own.keys(), ...their.keys()]);
      const expected = [...names].filter((name) => own.get(name) !== their.get(name)).toSorted();
      const differing = differingTokens(ours, theirs);
      expect(differing.map(({ token }) => JSON.stringify(token)).toSorted()).toEqual(expected);
      for (const each of differing) {
        const name = JSON.stringify(each.token);
        expect([each.own !== undefined, each.their !== undefined]).toEqual([
          own.has(name),
          their.has(name),
        ]);
      }
    }),
  );
});
