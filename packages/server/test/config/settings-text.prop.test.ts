import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSettingsText } from "../../src/config/settings-text.ts";

const objects = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));

const marks = ["{", "}", "[", "]", ":", ",", '"', "\\", "/", "*", "\n", " ", "1", "-", ".", "e"];
marks.push("true", '"a"', "//", "/*", "*/");

describe("the text of a configuration file", () => {
  it("is read as JSON has it", () => {
    fc.assert(
      fc.property(objects, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const parsed = parseSettingsText(text);
        expect(parsed.ok && JSON.stringify(parsed.value)).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it("never makes the reader throw, whatever it is", () => {
    const pieces = fc.constantFrom(...marks);
    const texts = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseSettingsText(text);
        if (parsed.ok) return;
        expect(parsed.line).toBeGreaterThanOrEqual(1);
        expect(parsed.line).toBeLessThanOrEqual(text.split("\n").length);
        // What JSON accepts is refused for names given twice only.
        if (!parsed.message.includes("given twice")) {
          expect(() => JSON.parse(text) as unknown).toThrow("JSON");
        }
      }),
    );
  });

  it("may have comments and trailing commas, and says where each name is", () => {
    const parsed = parseSettingsText(
      '// of n1\n{\n  "a": "//no", /* two\nlines */ "b": { "c": [1, 2,], },\n  // "d": 1,\n}\n',
    );
    expect(parsed).toMatchObject({ ok: true, value: { a: "//no", b: { c: [1, 2] } } });
    expect(parsed.ok && [...parsed.lines]).toEqual([
      ["a", 3],
      ["b", 4],
      ["b.c", 4],
    ]);
  });

  it("makes own members of names that objects have", () => {
    const parsed = parseSettingsText('{ "__proto__": 1 }');
    expect(parsed.ok && Object.entries(parsed.value as object)).toEqual([["__proto__", 1]]);
  });

  it.each([
    ["nothing", "", 1, "a value is missing"],
    ["an open brace", '{\n"a": 1\n', 3, "a comma is missing"],
    ["a missing comma", '{\n"a": 1\n"b": 2}', 3, "a comma is missing"],
    ["a missing colon", '{"a" 1}', 1, 'a colon is missing after "a"'],
    ["a bare name", "{\n\na: 1}", 3, "a name in double quotes"],
    ["a name given twice", '{\n"a": 1,\n"a": 2\n}', 3, '"a" is given twice'],
    ["two values", "{} {}", 1, "nothing may follow"],
    ["a number that is none", '{"a": 1.2.3}', 1, "1.2.3 is no JSON"],
    ["a text over two lines", '{"a": "b\n"}', 1, "a value is missing"],
    ["a deep nest", "[".repeat(100_000), 1, "nested too deeply"],
  ])("is refused with its line: %s", (_, text, line, message) => {
    expect(parseSettingsText(text)).toMatchObject({
      ok: false,
      line,
      message: expect.stringContaining(message),
    });
  });
});
