import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { ByteWriter, crc32c } from "@coterie/core";
import {
  CheckpointDecoder,
  type CheckpointHead,
  encodeHead,
} from "../../src/recovery/checkpoint.ts";

const head = {
  partitions: 2,
  segment: 3,
  offset: 4096,
  lsn: 100,
  sequence: 12,
  isWhole: true,
  segments: [{ segment: 1, bytes: 65_536 }],
  damaged: [{ partition: 1, token: { high: 5, low: 6 }, segment: 1, offset: 64 }],
  removals: [{ segment: 1, removal: { token: { high: 7, low: 8 }, lsn: 42, horizon: 2 } }],
  discards: [{ segment: 2, discard: { partition: 1, lsn: 50, horizon: 3 } }],
  lostPartitions: [0],
};

function checkpointOf(...blocks: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(256);
  writer.u32(0x3450_4b43);
  for (const block of blocks) {
    writer.u32(block.length);
    writer.u32(crc32c(block));
    writer.bytes(block);
  }
  return writer.finish();
}

/** Checkpoints, as they are and with the checksums of their blocks made right again. */
export const seeds: readonly Uint8Array[] = [
  checkpointOf(encodeHead(head), new Uint8Array(64), new Uint8Array(0)),
  checkpointOf(
    encodeHead({
      ...head,
      partitions: 1,
      segments: [],
      damaged: [],
      removals: [],
      discards: [],
      lostPartitions: [],
    }),
    new Uint8Array(32),
  ),
];

export function run(input: Uint8Array): void {
  decoded(input);
  decoded(sealed(input));
}

function decoded(bytes: Uint8Array): void {
  const checkpoint = decodeWhole(bytes);
  if (checkpoint === undefined) return;
  const { words, hasClasses, head: taken } = checkpoint;
  equal(words.length, taken.partitions);
  const blocks = words.map((each) => new Uint8Array(each.buffer, each.byteOffset, each.byteLength));
  const again = decodeWhole(checkpointOf(encodeHead(taken), ...blocks));
  // One that an earlier version wrote is written as this one writes it.
  ok(again?.hasClasses === true);
  deepStrictEqual({ ...again, hasClasses }, checkpoint);
}

/** As a start takes it from the disk; `undefined` when anything in it is damaged. */
function decodeWhole(bytes: Uint8Array):
  | {
      readonly head: CheckpointHead;
      readonly hasClasses: boolean;
      readonly words: readonly Uint32Array[];
    }
  | undefined {
  const words: Uint32Array[] = [];
  const decoder = new CheckpointDecoder((partition, each) => {
    equal(partition, words.length);
    words.push(each);
  });
  let at = 0;
  while (decoder.wanted > 0) {
    const end = at + decoder.wanted;
    if (end > bytes.length) return undefined;
    if (!decoder.take(bytes.subarray(at, end), bytes.length - end)) return undefined;
    at = end;
  }
  const { head: taken, hasClasses } = decoder;
  if (at < bytes.length || taken === undefined) return undefined;
  return { head: taken, hasClasses, words };
}

function sealed(input: Uint8Array): Uint8Array {
  const bytes = input.slice();
  const view = new DataView(bytes.buffer);
  for (let at = 4; at + 8 <= bytes.length;) {
    const end = at + 8 + view.getUint32(at, true);
    if (end > bytes.length) break;
    view.setUint32(at + 4, crc32c(bytes, at + 8, end), true);
    at = end;
  }
  return bytes;
}
