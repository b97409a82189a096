import { readFileSync } from "node:fs";
import type { ActorId } from "@coterie/core";
import { expect, it } from "vitest";
import {
  encodeSegmentHeader,
  entryHeaderBytes,
  entryKinds,
  groupHeaderBytes,
  segmentHeaderBytes,
  writeEntry,
  writeGroupHeader,
} from "../src/log/format.ts";
import { encodeActorMark } from "../src/recovery/control-entries.ts";

const page = new URL("../../../docs/internals/log-format.md", import.meta.url);

function exampleSegment(): Uint8Array {
  const salt = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const body = encodeActorMark({ actor: "00112233445566ff" as ActorId, counter: 2 ** 20 });
  const entryAt = segmentHeaderBytes + groupHeaderBytes;
  const length = entryHeaderBytes + body.length;
  const bytes = new Uint8Array(entryAt + length);
  bytes.set(encodeSegmentHeader({ segment: 1, kind: "normal", partitions: 64, salt }));
  writeGroupHeader(bytes, segmentHeaderBytes, { length, sequence: 0, firstLsn: 0, salt });
  writeEntry(bytes, entryAt, { kind: entryKinds.actor, lsn: 0, body });
  return bytes;
}

it("writes the bytes that the page on the log format shows", () => {
  const shown = /```hex\n([^`]+)```/u.exec(readFileSync(page, "utf8"))?.[1] ?? "";
  const digits = shown.replaceAll(/^[0-9a-f]{4} {2}|\s/gmu, "");
  expect(digits).toBe(Buffer.from(exampleSegment()).toString("hex"));
});
