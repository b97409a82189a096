import { describe, expect, it } from "vitest";
import { Arena } from "../src/memory.ts";

const lengths = [1, 700_000, 300_000, 600_000, 0, 5, 2_000_000, 1_048_576, 3];

describe("an arena", () => {
  it("hands out no byte twice before it is used again", () => {
    const arena = new Arena();
    const taken = lengths.map((length, index) => arena.take(length).fill(index + 1));

    expect(taken.map(({ length }) => length)).toEqual(lengths);
    for (const [index, bytes] of taken.entries()) {
      expect(bytes.every((byte) => byte === index + 1)).toBe(true);
    }
  });

  it("hands out zeros, also of what was written to before", () => {
    const arena = new Arena();
    for (const length of lengths) arena.take(length).fill(0xff);

    arena.reuse();

    for (const length of lengths) expect(arena.take(length).every((byte) => byte === 0)).toBe(true);
  });

  it("uses its memory again", () => {
    const arena = new Arena();
    const before = arena.take(100);

    arena.reuse();

    expect(arena.take(100).buffer).toBe(before.buffer);
  });

  it("copies", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const copy = new Arena().copy(bytes);

    bytes.fill(9);

    expect([...copy]).toEqual([1, 2, 3]);
  });
});
