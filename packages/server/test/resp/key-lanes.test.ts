import type { RespReply } from "@coterie/protocol";
import { expect, it } from "vitest";
import { type Change, KeyLanes, keptDeadline } from "../../src/doors/resp/key-lanes.ts";
import { oneNode } from "../http/one-node.ts";

const key = Uint8Array.of(107);
const value = Uint8Array.of(49);

it("changes that share a write find the deadlines that those before them have made", async () => {
  const { node } = await oneNode();
  const lanes = new KeyLanes(node, "redis", {
    defaultDeadline: () => 4_000_000_000_000,
    onDefect: (error) => {
      throw error;
    },
  });
  const shown: Change = (held) => ({ reply: String(held?.expiresAtMs) });
  const changes: readonly Change[] = [
    // The first goes alone; the others wait for it, and go together.
    shown,
    () => ({ reply: "left to the bucket", next: { value, expiresAtMs: undefined } }),
    shown,
    (held) => ({ reply: "kept", next: { value, expiresAtMs: keptDeadline(held) } }),
    shown,
    () => ({ reply: "made to stay", next: { value, expiresAtMs: "never" } }),
    (held) => ({ reply: "kept", next: { value, expiresAtMs: keptDeadline(held) } }),
    shown,
    () => ({ reply: "ended", next: { value, expiresAtMs: 4_000_000_000_001 } }),
    shown,
  ];
  const replies = changes.map(
    (change) => new Promise<RespReply>((settle) => lanes.change(key, change, undefined, settle)),
  );
  expect(await Promise.all(replies)).toEqual([
    "undefined",
    "left to the bucket",
    "4000000000000",
    "kept",
    "4000000000000",
    "made to stay",
    "kept",
    "undefined",
    "ended",
    "4000000000001",
  ]);
  const read = await node.get({ bucket: "redis", key }, {});
  expect(read).toMatchObject({ siblings: [{ expiresAtMs: 4_000_000_000_001 }] });
});
