import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/bytes/text.ts";
import { crc16, redisSlotOf, redisSlots } from "../../src/ring/redis-slot.ts";
import { type HashSpace, partitionOf, tokenOf } from "../../src/ring/token.ts";

const slotOf = (key: string): number => redisSlotOf(utf8(key));

/** The check value of CRC-16/XMODEM, and what the specification of Redis Cluster calls it with. */
it("computes CRC-16/XMODEM", () => {
  const bytes = utf8("123456789");
  expect(crc16(bytes, 0, bytes.length)).toBe(0x31c3);
  expect(crc16(bytes, 0, 0)).toBe(0);
});

/** `CLUSTER KEYSLOT` of a Redis 7 answers these. */
it.each([
  ["", 0],
  ["123456789", 12_739],
  ["foo", 12_182],
  ["bar", 5061],
  ["hello", 866],
  ["somekey", 11_058],
  ["foo{hash_tag}", 2515],
  ["{user1000}.following", 3443],
])("finds %j in slot %i, as Redis does", (key, slot) => {
  expect(slotOf(key)).toBe(slot);
});

/** The examples of the specification, "Hash tags". */
it.each([
  ["{user1000}.following", "{user1000}.followers"],
  ["foo{{bar}}zap", "{bar"],
  ["foo{bar}{zap}", "bar"],
  ["a}b{c}d", "c"],
])("hashes %j as %j", (key, same) => {
  expect(slotOf(key)).toBe(slotOf(same));
});

it.each(["foo{}{bar}", "foo{bar", "foo}bar{", "{}", "{"])("has no hash tag in %j", (key) => {
  const bytes = utf8(key);
  expect(redisSlotOf(bytes)).toBe(crc16(bytes, 0, bytes.length) % redisSlots);
});

describe("with redis-slots", () => {
  const spaceOf = (partitions: number): HashSpace => ({ hash: "redis-slots", partitions });
  const key = fc.uint8Array({ maxLength: 24 });
  const bucket = fc.constantFrom("default", "redis", "b");
  const count = fc.oneof(
    fc.integer({ min: 1, max: redisSlots }),
    fc.constantFrom(1, 3, 64, 1024, redisSlots - 1, redisSlots),
  );

  it("a partition is a range of slots, for every number of partitions", () => {
    fc.assert(
      fc.property(key, bucket, count, (bytes, name, partitions) => {
        const token = tokenOf({ bucket: name, key: bytes }, spaceOf(partitions));
        const expected = Math.floor((redisSlotOf(bytes) * partitions) / redisSlots);
        expect(partitionOf(token, partitions)).toBe(expected);
        expect(Math.floor(token.high / 2 ** 18)).toBe(redisSlotOf(bytes));
        expect(Number.isInteger(token.high) && Number.isInteger(token.low)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("keys with one hash tag share a partition, in every bucket", () => {
    const tag = fc
      .uint8Array({ minLength: 1, maxLength: 8 })
      .filter((bytes) => !bytes.includes(0x7d));
    const tagged = fc.tuple(key, key, bucket).map(([before, after, name]) => {
      return { before: before.filter((byte) => byte !== 0x7b), after, name };
    });
    fc.assert(
      fc.property(tag, tagged, tagged, count, (inner, left, right, partitions) => {
        const [first, second] = [left, right].map(({ before, after, name }) => {
          const bytes = Uint8Array.of(...before, 0x7b, ...inner, 0x7d, ...after);
          return partitionOf(
            tokenOf({ bucket: name, key: bytes }, spaceOf(partitions)),
            partitions,
          );
        });
        expect(first).toBe(second);
      }),
    );
  });

  it("keys are spread over the partitions, and those of a slot within it", () => {
    const partitions = 48;
    const counts = new Map<number, number>();
    const tokens = new Set<string>();
    const quarters = [0, 0, 0, 0];
    for (let number = 0; number < 24_000; number += 1) {
      const token = tokenOf({ bucket: "redis", key: utf8(`key:${number}`) }, spaceOf(partitions));
      const partition = partitionOf(token, partitions);
      counts.set(partition, (counts.get(partition) ?? 0) + 1);
      const tagged = tokenOf({ bucket: "redis", key: utf8(`{a}:${number}`) }, spaceOf(partitions));
      tokens.add(`${tagged.high}/${tagged.low}`);
      const quarter = Math.floor(((tagged.high % 2 ** 18) / 2 ** 18) * 4);
      quarters[quarter] = (quarters[quarter] ?? 0) + 1;
    }
    expect(counts.size).toBe(partitions);
    // 500 each on average; the hash is fixed, so this cannot fail by chance.
    for (const held of counts.values()) expect(Math.abs(held - 500)).toBeLessThan(150);
    expect(tokens.size).toBe(24_000);
    for (const held of quarters) expect(Math.abs(held - 6000)).toBeLessThan(300);
  });
});
