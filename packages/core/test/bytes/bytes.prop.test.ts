import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ByteReader,
  ByteWriter,
  Slab,
  base64url,
  compareBytes,
  crc32c,
  decodeUtf8,
  digest64,
  equalBytes,
  fromBase64url,
  hex,
  latin1,
  utf8,
} from "../../src/index.ts";

const bytes = fc.uint8Array({ maxLength: 300 });
const repeated = (length: number, byte: (at: number) => number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => byte(at));

describe("crc32c", () => {
  // RFC 3720 appendix B.4; the last is the check value of every CRC catalogue.
  const readCommand = [
    "01c00000000000000000000000000000",
    "14000000000004000000001400000018",
    "28000000000000000200000000000000",
  ].join("");
  it.each([
    ["32 bytes of zeros", repeated(32, () => 0), 0x8a9136aa],
    ["32 bytes of ones", repeated(32, () => 0xff), 0x62a8ab43],
    ["32 bytes incrementing", repeated(32, (at) => at), 0x46dd794e],
    ["32 bytes decrementing", repeated(32, (at) => 31 - at), 0x113fdb5c],
    ["an iSCSI read command", Uint8Array.from(Buffer.from(readCommand, "hex")), 0xd9963a56],
    ["the digits 1 to 9", utf8("123456789"), 0xe3069283],
    ["nothing", new Uint8Array(), 0],
  ])("has the value of RFC 3720 for %s", (_, input, expected) => {
    expect(crc32c(input)).toBe(expected);
  });

  it("can be taken in parts, and of a part", () => {
    fc.assert(
      fc.property(bytes, fc.nat(), (input, at) => {
        const cut = at % (input.length + 1);
        expect(crc32c(input, cut, input.length, crc32c(input, 0, cut))).toBe(crc32c(input));
        expect(crc32c(input, cut)).toBe(crc32c(input.slice(cut)));
      }),
    );
  });
});

describe("integers", () => {
  it.each([0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, 2 ** 48, 2 ** 53 - 1])(
    "the varint %d comes back",
    (value) => {
      const writer = new ByteWriter(1);
      writer.varint(value);
      const reader = new ByteReader(writer.finish());
      expect([reader.varint(), reader.remaining, reader.failed]).toEqual([value, 0, false]);
    },
  );

  it.each([
    ["with an idle last byte", [0x80, 0x00]],
    ["cut", [0xff]],
    ["of 2^53", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ["of nine bytes", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ["of nothing", []],
  ])("a varint %s is malformed", (_, input) => {
    const reader = new ByteReader(Uint8Array.from(input));
    expect([reader.varint(), reader.failed]).toEqual([0, true]);
  });

  it("of every width come back, whatever the writer's first size", () => {
    const safe = fc.maxSafeNat();
    const u48 = fc.oneof(
      safe.map((value) => value % 2 ** 48),
      fc.constant(2 ** 48 - 1),
    );
    fc.assert(
      fc.property(fc.nat(9), fc.nat(255), fc.nat(2 ** 32 - 1), u48, safe, (size, a, b, c, d) => {
        const writer = new ByteWriter(size);
        writer.u8(a);
        writer.u32(b);
        writer.u48(c);
        writer.varint(d);
        writer.setU32(1, b);
        const reader = new ByteReader(writer.finish());
        expect([reader.u8(), reader.u32(), reader.u48(), reader.varint()]).toEqual([a, b, c, d]);
        expect(reader.remaining).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  it("read past the end are zero, and mark the input as malformed for good", () => {
    const reader = new ByteReader(Uint8Array.from([1, 2, 3]));
    expect(reader.u32()).toBe(0);
    expect([reader.u8(), reader.u48(), reader.hex(2)]).toEqual([0, 0, ""]);
    expect([reader.internedHexOfEight(), reader.internedLatin1(1)]).toEqual(["", ""]);
    expect([reader.view(1).length, reader.failed, reader.remaining]).toEqual([0, true, 0]);
  });
});

describe("texts", () => {
  it("interned are what they would be anew, however many take the same places", () => {
    const few = fc.uint8Array({ minLength: 8, maxLength: 8 });
    const bytes = fc.array(fc.oneof(few, fc.uint8Array({ maxLength: 80 })), { maxLength: 3000 });
    fc.assert(
      fc.property(bytes, (texts) => {
        for (const each of [...texts, ...texts]) {
          const reader = new ByteReader(each);
          expect(reader.internedLatin1(each.length)).toBe(latin1(each));
          if (each.length === 8) expect(new ByteReader(each).internedHexOfEight()).toBe(hex(each));
        }
      }),
      { numRuns: 30 },
    );
  });

  it("utf8 is what TextEncoder makes, lone surrogates included", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(0xffff), (text, unit) => {
        const odd = text + String.fromCharCode(unit) + text;
        expect(utf8(odd)).toEqual(new TextEncoder().encode(odd));
        expect(decodeUtf8(utf8(text))).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  it("decodeUtf8 accepts exactly what a strict TextDecoder accepts", () => {
    const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const expected = (input: Uint8Array): string | undefined => {
      try {
        return strict.decode(input);
      } catch {
        return undefined;
      }
    };
    const lead = fc.constantFrom(0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0x7f);
    const rest = fc.array(fc.oneof(fc.constantFrom(0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf), lead));
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          fc.tuple(lead, rest).map(([a, b]) => [a, ...b]),
        ),
        (input) => {
          const given = Uint8Array.from(input);
          expect(decodeUtf8(given)).toBe(expected(given));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("base64url and hex are what Buffer makes, and come back", () => {
    fc.assert(
      fc.property(bytes, (input) => {
        expect(base64url(input)).toBe(Buffer.from(input).toString("base64url"));
        expect(fromBase64url(base64url(input))).toEqual(input);
        expect(hex(input)).toBe(Buffer.from(input).toString("hex"));
        expect(latin1(input)).toBe(Buffer.from(input).toString("latin1"));
        const writer = new ByteWriter(1);
        writer.hex(hex(input));
        expect(writer.finish()).toEqual(input);
      }),
      { numRuns: 1000 },
    );
  });

  it("latin1 takes more bytes than one call takes arguments", () => {
    const long = repeated(200_000, (at) => at & 0xff);
    expect(latin1(long)).toBe(Buffer.from(long).toString("latin1"));
  });

  it("base64url has one text for one byte string: all others are refused", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("A", "Q", "g", "w", "9", "-", "_", "=", "+", "/") }),
        (text) => {
          const decoded = fromBase64url(text);
          if (decoded !== undefined) expect(base64url(decoded)).toBe(text);
        },
      ),
      { numRuns: 1000 },
    );
    expect(["A", "AB", "AA==", "A+", "AAB", "é"].map(fromBase64url)).toEqual(
      Array.from({ length: 6 }, () => undefined),
    );
  });
});

describe("order and digest", () => {
  it("bytes are ordered as Buffer orders them", () => {
    fc.assert(
      fc.property(bytes, bytes, fc.nat(), (left, other, at) => {
        const right = Uint8Array.from([...left.slice(0, at % 9), ...other]);
        expect(Math.sign(compareBytes(left, right))).toBe(Buffer.compare(left, right));
        expect(equalBytes(left, right)).toBe(Buffer.compare(left, right) === 0);
      }),
    );
  });

  it("a digest changes with any bit, and with a length of zeros", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), (input, bit) => {
        const flipped = input.slice();
        const at = (bit >> 3) % input.length;
        flipped[at] = (flipped[at] as number) ^ (1 << (bit & 7));
        expect(digest64(flipped)).not.toEqual(digest64(input));
        expect(digest64(Uint8Array.from([...input, 0]))).not.toEqual(digest64(input));
        expect(digest64(Uint8Array.from([9, ...input]), 1)).toEqual(digest64(input));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a slab", () => {
  it("hands out zeros of the length asked for, and no byte twice", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5000 }), { maxLength: 60 }), (lengths) => {
        const slab = new Slab();
        const taken = lengths.map((length, at) => {
          const piece = slab.take(length);
          expect(piece.every((byte) => byte === 0)).toBe(true);
          expect(piece.length).toBe(length);
          return piece.fill(at + 1);
        });
        for (const [at, piece] of taken.entries()) {
          expect(piece.every((byte) => byte === at + 1)).toBe(true);
        }
      }),
    );
  });

  it("gives every finished writer bytes of its own, when one is used again", () => {
    const writer = new ByteWriter(4);
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 20 }), (inputs) => {
        const outputs = inputs.map((input) => {
          writer.reset();
          writer.bytes(input);
          return writer.finish();
        });
        expect(outputs.map((output) => [...output])).toEqual(inputs.map((input) => [...input]));
      }),
    );
  });
});
