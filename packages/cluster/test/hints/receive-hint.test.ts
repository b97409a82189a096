import { encodeRecord, noFence, utf8 } from "@coterie/core";
import { describe, expect, it } from "vitest";
import type { PeerRequest } from "../../src/index.ts";
import { SmallCluster, node } from "../small-cluster.ts";
import { version } from "./book-world.ts";
import { hint, tell } from "./tell.ts";

/** Five nodes, so that every key has two that are not its primaries. */
function five(): Promise<SmallCluster> {
  return SmallCluster.start({ nodes: 5 });
}

const readHint = (key: string): Partial<PeerRequest> => ({
  kind: "read-hint",
  bucket: "default",
  key: utf8(key),
});

describe("a fallback", () => {
  it("holds a record for a primary, and gives it to readers", async () => {
    const small = await five();
    const { owners, others } = small.owners("a");
    const [fallback = 0] = others;
    expect(await tell(small, fallback, readHint("a"))).toEqual({ kind: "absent", fence: noFence });
    const held = await tell(small, fallback, hint("a", owners[1] ?? 0));
    expect(held).toEqual({ kind: "merged", changed: true });
    const again = await tell(small, fallback, hint("a", owners[1] ?? 0));
    expect(again).toEqual({ kind: "merged", changed: false });
    const record = version("a", 1).bytes;
    expect(await tell(small, fallback, readHint("a"))).toEqual({
      kind: "present",
      record,
      fence: noFence,
    });
    expect(await small.own(fallback, "a")).toBe("absent");
    expect(small.at(fallback).statistics().hints?.held).toMatchObject([{ records: 1 }]);
  });

  it("holds it after a clean stop and after a crash", async () => {
    const small = await five();
    const { owners, others } = small.owners("a");
    const [fallback = 0] = others;
    await tell(small, fallback, hint("a", owners[0] ?? 0));
    const record = version("a", 1).bytes;
    await small.stop(fallback);
    await small.restart(fallback);
    expect(await tell(small, fallback, readHint("a"))).toEqual({
      kind: "present",
      record,
      fence: noFence,
    });
    small.crash(fallback);
    await small.restart(fallback);
    expect(await tell(small, fallback, readHint("a"))).toEqual({
      kind: "present",
      record,
      fence: noFence,
    });
  });

  it("is none for a key of which it is a primary, nor for a target that is none", async () => {
    const small = await five();
    const { owners, others } = small.owners("a");
    const refused = { kind: "refused", code: "not-fallback", outcome: "refused" };
    const [primary = 0, second = 0] = owners;
    const [fallback = 0, another = 0] = others;
    expect(await tell(small, primary, hint("a", second))).toMatchObject(refused);
    expect(await tell(small, primary, hint("a", primary))).toMatchObject(refused);
    expect(await tell(small, fallback, hint("a", another))).toMatchObject(refused);
    expect(await tell(small, fallback, hint("a", 99))).toMatchObject(refused);
    expect(await tell(small, primary, readHint("a"))).toMatchObject(refused);
    for (const number of [...owners, ...others]) {
      expect(small.at(number).statistics().hints?.held).toEqual([]);
    }
  });

  it("refuses what is no record, and what is of no bucket", async () => {
    const small = await five();
    const { owners, others } = small.owners("a");
    const [fallback = 0] = others;
    const target = node(owners[0] ?? 0);
    const garbage = { kind: "hint", target, record: utf8("no record") } as const;
    expect(await tell(small, fallback, garbage)).toMatchObject({ code: "malformed" });
    const unknown = { kind: "read-hint", bucket: "nowhere", key: utf8("a") } as const;
    expect(await tell(small, fallback, unknown)).toMatchObject({ code: "no-such-bucket" });
  });

  it("refuses a sender that goes by another table of owners", async () => {
    const small = await five();
    const { owners, others } = small.owners("a");
    const [fallback = 0] = others;
    const foreign = { ...hint("a", owners[0] ?? 0), stamp: { epoch: 1, tag: 7 } };
    const answer = await tell(small, fallback, foreign);
    expect(answer).toMatchObject({ kind: "refused", code: "other-cluster" });
  });

  it.each([
    ["now", 0, "merged"],
    ["far ahead", 10 ** 15, "clock-skew"],
  ])("takes times as replicas do, where the newest wins: %s", async (_, wallMs, expected) => {
    const small = await five();
    const { record } = version("a", 1);
    const writtenAt = { wallMs, logical: 0 };
    const siblings = record.siblings.map((sibling) => ({ ...sibling, writtenAt }));
    const bytes = encodeRecord({ bucket: "redis", key: utf8("a") }, { ...record, siblings });
    const answers = new Set<string>();
    for (const at of [1, 2, 3, 4, 5]) {
      for (const target of [1, 2, 3, 4, 5]) {
        const request = { kind: "hint", target: node(target), record: bytes } as const;
        const answer = await tell(small, at, request);
        answers.add(answer.kind === "refused" ? answer.code : answer.kind);
      }
    }
    expect([...answers].toSorted()).toEqual([expected, "not-fallback"].toSorted());
  });
});
