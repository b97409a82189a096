import { expect, it } from "vitest";
import { isGlobMatch } from "../../src/doors/resp/glob.ts";

it.each<[string, string, boolean]>([
  ["*", "", true],
  ["*", "any", true],
  ["a*c", "abbc", true],
  ["a*c", "abbd", false],
  ["a**b*", "axxb", true],
  ["h?llo", "hello", true],
  ["h?llo", "hllo", false],
  ["h[ae]llo", "hallo", true],
  ["h[^ae]llo", "hello", false],
  ["h[a-c]llo", "hbllo", true],
  ["h[c-a]llo", "hbllo", true],
  ["h\\*llo", "h*llo", true],
  ["h\\*llo", "hello", false],
  ["[\\]]", "]", true],
  ["[ab", "a", true],
  ["abc", "abcd", false],
  ["*a*a*a*a*b", "a".repeat(3000), false],
])("%s and %s", (pattern, text, isMatch) => {
  expect(isGlobMatch(Buffer.from(pattern), Buffer.from(text))).toBe(isMatch);
});
