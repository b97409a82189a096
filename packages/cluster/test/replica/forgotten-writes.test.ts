import {
  type ActorId,
  type CausalRecord,
  type DeadWrite,
  DeadWrites,
  VersionVector,
  type WriteId,
  encodeRecord,
  tokenOf,
  utf8,
} from "@coterie/core";
import type { Held, StoredRecord } from "@coterie/storage";
import { expect, it } from "vitest";
import { ForgottenWrites } from "../../src/replica/forgotten-writes.ts";

const actor = "00000000000000a1" as ActorId;
const wallMs = 1_700_000_000_000;

const placeOf = (text: string): Parameters<ForgottenWrites["without"]>[0] => {
  const key = { bucket: "default", key: utf8(text) };
  return { ...key, token: tokenOf(key, { hash: "md5", partitions: 64 }) };
};
const idOf = (at: number): WriteId => at.toString(16).padStart(32, "0") as WriteId;
const place = placeOf("k");

/** A record of one write, which remembers others. */
function recordOf(at: number, dead: readonly DeadWrite[]): CausalRecord {
  const deadWrites = DeadWrites.of(dead);
  const dot = { actor, counter: at };
  const writtenAt = { wallMs, logical: 0 };
  const sibling = {
    dots: [dot],
    value: utf8(`v${at}`),
    contentType: "",
    writtenAt,
    writeId: idOf(at),
    expiresAtMs: undefined,
  };
  return { clock: VersionVector.of([dot]), siblings: [sibling], deadWrites };
}

function storedOf(record: CausalRecord): StoredRecord {
  return { record, bytes: encodeRecord(place, record) };
}

const held: Held = { state: "present", stored: storedOf(recordOf(9, [])) };

function clockAt(): { nowMs: number; monotonicMs: () => number; wallMs: () => number } {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs, wallMs: () => wallMs + clock.nowMs };
  return clock;
}

it("knows what went from a record, of that key alone, for a minute", () => {
  const clock = clockAt();
  const forgotten = new ForgottenWrites(clock);
  forgotten.note(
    place.token,
    recordOf(2, [{ writeId: idOf(1), writtenAtMs: wallMs }]),
    recordOf(9, [{ writeId: idOf(2), writtenAtMs: wallMs }]),
  );
  expect([1, 2, 9].map((at) => forgotten.has(place.token, idOf(at)))).toEqual([true, false, false]);
  expect(forgotten.has(placeOf("other").token, idOf(1))).toBe(false);
  clock.nowMs = 60_001;
  expect(forgotten.has(place.token, idOf(1))).toBe(false);
});

it("drops what others made of a dead write, keeps its dots, and leaves the unread alone", () => {
  const forgotten = new ForgottenWrites(clockAt());
  const before = recordOf(9, [
    { writeId: idOf(1), writtenAtMs: wallMs },
    { writeId: idOf(2), writtenAtMs: wallMs, isUnread: true },
  ]);
  forgotten.note(place.token, before, recordOf(9, []));
  const dead = storedOf(recordOf(1, []));
  const came = forgotten.without(place, held, dead);
  expect(came.record.siblings).toEqual([]);
  expect(came.record.clock).toBe(dead.record.clock);
  expect(came.bytes).toEqual(encodeRecord(place, came.record));
  const unread = storedOf(recordOf(2, []));
  expect(forgotten.without(place, held, unread)).toBe(unread);
  // What is held says more than what is remembered.
  const alive: Held = { state: "present", stored: storedOf(recordOf(1, [])) };
  expect(forgotten.without(place, alive, dead)).toBe(dead);
  // Where nothing is held nothing was overwritten either.
  expect(forgotten.without(place, { state: "absent" }, dead)).toBe(dead);
});

it("keeps none of a write that nobody tries again, and so many at most", () => {
  const clock = clockAt();
  const forgotten = new ForgottenWrites(clock);
  const note = (at: number, writtenAtMs: number): void =>
    forgotten.note(place.token, recordOf(9, [{ writeId: idOf(at), writtenAtMs }]), recordOf(9, []));
  note(1, wallMs - 60_001);
  expect(forgotten.size).toBe(0);
  for (let at = 10; at < 70_010; at += 1) note(at, wallMs);
  expect(forgotten.size).toBe(65_536);
  expect([10, 70_009].map((at) => forgotten.has(place.token, idOf(at)))).toEqual([false, true]);
  clock.nowMs = 60_001;
  note(5, wallMs + clock.nowMs);
  expect(forgotten.size).toBe(1);
});
