import type { Levels, PeerAddress } from "@coterie/core";
import type { PeerRequest, PeerResponse } from "@coterie/cluster";
import type { Reply } from "@coterie/ports";
import { OperationBatch, ResultBatch, decodeAck, decodeBatch } from "@coterie/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { PeerNetwork } from "../../src/adapters/peer-network/peer-network.ts";
import { NodeRandom } from "../../src/adapters/node-random.ts";
import { Opened, answerMerged, clock, hasty, mergeOf, transports } from "./test-node.ts";

function spoken(min: number, max: number): Levels {
  return { min, max };
}

describe.each(transports)("levels over $name", ({ transport }) => {
  const opened = new Opened(transport);
  afterEach(() => opened.close());

  /** What becomes of a call, and the first reason for which a stream broke. */
  async function callBetween(
    caller: Levels,
    answerer: Levels,
  ): Promise<{ readonly reply: Reply<PeerResponse>; readonly reasons: readonly string[] }> {
    const { address } = await opened.server(answerMerged, { ...hasty, levels: answerer });
    const reasons: string[] = [];
    const network = new PeerNetwork({
      clock,
      random: new NodeRandom(),
      transport,
      options: { ...hasty, levels: caller },
      onBroken: (_, reason) => reasons.push(reason),
    });
    opened.add(() => network.close());
    const reply = await callOnce(network, address, mergeOf(1));
    return { reply, reasons };
  }

  it.each([
    [spoken(1, 2), spoken(1, 2)],
    [spoken(1, 1), spoken(1, 2)],
    [spoken(2, 3), spoken(1, 2)],
  ])("a stream opens between %j and %j", async (caller, answerer) => {
    const { reply } = await callBetween(caller, answerer);
    expect(reply).toMatchObject({ ok: true });
  });

  it.each([
    [spoken(1, 1), spoken(2, 3)],
    [spoken(3, 4), spoken(1, 2)],
  ])("none does between %j and %j, and the reason is told", async (caller, answerer) => {
    const { reply, reasons } = await callBetween(caller, answerer);
    expect(reply).toEqual({ ok: false, reason: "refused" });
    expect(reasons[0]).toMatch(/speaks level.*speaks level|speaks level.*peer level/u);
  });
});

it("older builds skip what a hello says of levels, and say nothing themselves", () => {
  const hello = new OperationBatch();
  hello.greet(spoken(1, 2));
  const said = hello.take(7);
  expect(decodeBatch(said)).toMatchObject({ ok: true, operations: [], levels: spoken(1, 2) });
  // Field 32 and up are skipped by a reader that does not know them.
  expect([...said.subarray(9)]).toEqual([0x82, 0x02, 4, 0x08, 1, 0x10, 2]);
  expect(decodeBatch(new OperationBatch().take(7))).toMatchObject({ ok: true, levels: undefined });
  expect(decodeAck(new ResultBatch().take())).toMatchObject({ ok: true, levels: undefined });
});

it("older builds skip what a hello says of answers", () => {
  const hello = new OperationBatch();
  hello.limitAnswers(300);
  const said = hello.take(7);
  expect(decodeBatch(said)).toMatchObject({ ok: true, operations: [], recordBytesMax: 300 });
  // Field 33, which holds a message of 3 bytes.
  expect([...said.subarray(9)]).toEqual([0x8a, 0x02, 3, 0x08, 0xac, 0x02]);
  expect(decodeBatch(new OperationBatch().take(7))).toMatchObject({ recordBytesMax: undefined });
});

function callOnce(
  network: PeerNetwork,
  address: PeerAddress,
  request: PeerRequest,
): Promise<Reply<PeerResponse>> {
  return new Promise((resolve) => {
    network.call(address, request, clock.monotonicMs() + 20_000, resolve);
  });
}
