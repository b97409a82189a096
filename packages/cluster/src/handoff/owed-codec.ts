import { ByteReader, ByteWriter, type NodeId, type PartitionId, parseNodeId } from "@coterie/core";

// version 1, then per target: its id, and its partitions as distances (docs/internals/handoff.md).

const version = 1;

/** By target, in ascending order: the partitions that owe it something. */
export type OwedPartitions = ReadonlyMap<NodeId, readonly PartitionId[]>;

export type DecodedOwed =
  | { readonly ok: true; readonly owed: OwedPartitions }
  | { readonly ok: false; readonly reason: string };

/** What a node keeps on its disk of the keys that others missed. */
export function encodeOwed(owed: OwedPartitions): Uint8Array {
  const writer = new ByteWriter(1024);
  writer.u8(version);
  writer.varint(owed.size);
  for (const [target, partitions] of owed) {
    writer.varint(target.length);
    writer.ascii(target);
    writer.varint(partitions.length);
    let last = -1;
    for (const partition of partitions) {
      writer.varint(partition - last - 1);
      last = partition;
    }
  }
  return writer.finish();
}

/** Reads what {@link encodeOwed} wrote for a cluster of so many partitions, and nothing else. */
export function decodeOwed(bytes: Uint8Array, partitionsMax: number): DecodedOwed {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== version) return { ok: false, reason: "it is of a version not known here" };
  const owed = new Map<NodeId, readonly PartitionId[]>();
  const targets = reader.varint();
  for (let index = 0; index < targets && !reader.failed; index += 1) {
    const target = parseNodeId(reader.internedLatin1(reader.varint()));
    const partitions = readPartitions(reader, partitionsMax);
    if (target === undefined || partitions === undefined || owed.has(target)) {
      return { ok: false, reason: "it names no target, or none of its partitions" };
    }
    owed.set(target, partitions);
  }
  if (reader.failed || reader.remaining > 0) {
    return { ok: false, reason: "it is too short or too long" };
  }
  return { ok: true, owed };
}

function readPartitions(
  reader: ByteReader,
  partitionsMax: number,
): readonly PartitionId[] | undefined {
  const count = reader.varint();
  if (count > reader.remaining) return undefined;
  const partitions: PartitionId[] = [];
  let last = -1;
  for (let index = 0; index < count; index += 1) {
    last += reader.varint() + 1;
    if (reader.failed || last >= partitionsMax) return undefined;
    partitions.push(last);
  }
  return partitions;
}
