import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { ByteWriter, crc32c } from "@coterie/core";
import { Group } from "../../src/log/group.ts";
import {
  type SegmentKind,
  decodeEntry,
  decodeSegmentHeader,
  encodeSegmentHeader,
  entryKinds,
  entryLengthAt,
  groupHeaderBytes,
  segmentHeaderBytes,
} from "../../src/log/format.ts";
import { decodeActorMark, decodeDamageMark } from "../../src/recovery/control-entries.ts";
import { decodeDiscard, encodeDiscard } from "../../src/recovery/discards.ts";
import { decodeRemovals, encodeRemovals } from "../../src/recovery/removals.ts";
import { scanBytes } from "../../src/recovery/scan-segment.ts";

const salt = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function segmentOf(kind: SegmentKind, groups: readonly (readonly number[])[]): Uint8Array {
  const writer = new ByteWriter(1024);
  writer.bytes(encodeSegmentHeader({ segment: 3, kind, partitions: 8, salt }));
  let lsn = 1;
  for (const [sequence, lengths] of groups.entries()) {
    const group = new Group(3, writer.length, new Uint8Array(64));
    for (const length of lengths) {
      group.append(entryKinds.record, lsn, new Uint8Array(length).fill(length));
      lsn += 1;
    }
    writer.bytes(group.finish(sequence + 1, salt));
  }
  return writer.finish();
}

/** Segments of the log, as they are and with their checksums made right again. */
export const seeds: readonly Uint8Array[] = [
  segmentOf("normal", []),
  segmentOf("normal", [[14, 20], [5]]),
  segmentOf("compacted", [[1, 2, 3, 20]]),
  Uint8Array.from([...segmentOf("normal", [[8]]), ...new Uint8Array(40)]),
];

export function run(input: Uint8Array): void {
  scanned(input);
  scanned(sealed(input));
  decodeActorMark(input);
  decodeDamageMark(input);
  const discarded = decodeDiscard(input, 1);
  if (discarded !== undefined) {
    deepStrictEqual(decodeDiscard(encodeDiscard(discarded.discard), 2)?.discard, discarded.discard);
  }
  const removals = decodeRemovals(input, 1);
  if (removals !== undefined) {
    deepStrictEqual(decodeRemovals(encodeRemovals(removals), 2), removals);
  }
}

function scanned(bytes: Uint8Array): void {
  const header = decodeSegmentHeader(bytes);
  if (typeof header === "object") {
    deepStrictEqual(encodeSegmentHeader(header), bytes.slice(0, segmentHeaderBytes));
  }
  let last = 0;
  let inEntries = 0;
  const scan = scanBytes(bytes, segmentHeaderBytes, (entry, offset) => {
    ok(offset > last, "entries are handed out in order");
    deepStrictEqual(decodeEntry(bytes, offset, bytes.length), entry);
    last = offset;
    inEntries += entry.length;
  });
  ok(inEntries <= bytes.length, "no byte is in two entries");
  ok(scan.end <= Math.max(bytes.length, segmentHeaderBytes));
  equal(scan.damagedTailBytes >= 0 && scan.damagedTailBytes <= bytes.length, true);
}

/** With the checksums that its header, groups and entries should have, as far as they go. */
function sealed(input: Uint8Array): Uint8Array {
  const bytes = input.slice();
  seal(bytes, 0, segmentHeaderBytes - 4, segmentHeaderBytes - 4);
  let at = segmentHeaderBytes;
  while (at + groupHeaderBytes <= bytes.length) {
    const view = new DataView(bytes.buffer);
    const end = at + groupHeaderBytes + view.getUint32(at + 4, true);
    seal(bytes, at, at + groupHeaderBytes - 4, at + groupHeaderBytes - 4);
    at += groupHeaderBytes;
    for (const groupEnd = Math.min(end, bytes.length); at < groupEnd;) {
      const length = entryLengthAt(bytes, at, groupEnd);
      if (length === undefined) break;
      seal(bytes, at + 8, at + length, at + 4);
      at += length;
    }
    at = Math.max(at, Math.min(end, bytes.length));
  }
  return bytes;
}

function seal(bytes: Uint8Array, start: number, end: number, place: number): void {
  if (end > bytes.length || place + 4 > bytes.length) return;
  new DataView(bytes.buffer).setUint32(place, crc32c(bytes, start, end), true);
}
