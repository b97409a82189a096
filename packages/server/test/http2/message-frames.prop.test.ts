import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageFrames, frame } from "../../src/adapters/http2/message-frames.ts";
import { ByteBudget } from "../../src/doors/byte-budget.ts";

const messagesMax = 1000;

function read(
  bytes: Uint8Array,
  cuts: readonly number[],
): {
  readonly messages: readonly number[][];
  readonly problem: string | undefined;
  readonly isWhole: boolean;
} {
  const messages: number[][] = [];
  const frames = new MessageFrames(messagesMax);
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted(
    (left, right) => left - right,
  );
  for (const [at, edge] of edges.entries()) {
    const end = edges[at + 1];
    if (end === undefined || frames.problem !== undefined) continue;
    frames.add(bytes.subarray(edge, end));
    for (let message = frames.next(); message !== undefined; message = frames.next()) {
      messages.push([...message]);
    }
  }
  return { messages, problem: frames.problem?.message, isWhole: frames.isBetweenMessages };
}

const cuts = fc.array(fc.nat(), { maxLength: 8 });

describe("the frames of a stream", () => {
  it("give back what was framed, wherever the stream was cut", () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });
    fc.assert(
      fc.property(messages, cuts, (sent, places) => {
        const bytes = Buffer.concat(sent.map((message) => frame(message)));
        const got = read(bytes, places);
        expect(got.messages).toEqual(sent.map((message) => [...message]));
        expect(got).toMatchObject({ problem: undefined, isWhole: true });
      }),
      { numRuns: 1000 },
    );
  });

  it("refuse a length above the limit, before anything of it has come", () => {
    const length = fc.integer({ min: messagesMax + 1, max: 0xffff_ffff });
    fc.assert(
      fc.property(length, cuts, (announced, places) => {
        const header = Buffer.alloc(5);
        header.writeUInt32BE(announced, 1);
        expect(read(header, places).problem).toContain("too large");
      }),
    );
  });

  it("refuse a compressed message", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 255 }), cuts, (flags, places) => {
        const bytes = frame(new Uint8Array(3));
        bytes[0] = flags;
        expect(read(bytes, places)).toMatchObject({ problem: "a message is compressed" });
      }),
    );
  });

  it("take room for what has not come whole, never more than there is, and give it back", () => {
    const messages = fc.array(fc.uint8Array({ minLength: 20, maxLength: 300 }), { minLength: 1 });
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 40 }), fc.nat(600), (sent, step, most) => {
        const room = new ByteBudget(most);
        const frames = new MessageFrames(messagesMax, room);
        const bytes = Buffer.concat(sent.map((message) => frame(message)));
        let got = 0;
        for (let at = 0; at < bytes.length && frames.problem === undefined; at += step) {
          frames.add(bytes.subarray(at, at + step));
          while (frames.next() !== undefined) got += 1;
          expect(room.bytes).toBeLessThanOrEqual(most);
        }
        if (frames.problem === undefined) expect(got).toBe(sent.length);
        else expect(frames.problem.kind).toBe("crowded");
        frames.drop();
        expect(room.bytes).toBe(0);
        // The largest may grow to its own size and be copied from what it had before.
        if (most >= 600) expect(frames.problem).toBe(undefined);
      }),
    );
  });

  it("say whether a stream ended within a message", () => {
    const bytes = frame(new Uint8Array(10));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: bytes.length - 1 }), (end) => {
        expect(read(bytes.subarray(0, end), [])).toMatchObject({ messages: [], isWhole: false });
      }),
    );
  });
});
