import { ByteReader, ByteWriter, type Fence, noFence } from "@coterie/core";

// version 1, then per partition: raised, reaped (docs/internals/reaping.md).

const version = 1;

export type DecodedFences =
  | { readonly ok: true; readonly fences: readonly Fence[] }
  | { readonly ok: false; readonly reason: string };

/** What a node keeps on its disk of its fences, by partition. */
export function encodeFences(fences: readonly Fence[]): Uint8Array {
  const writer = new ByteWriter(1 + fences.length * 2);
  writer.u8(version);
  for (const { raised, reaped } of fences) {
    writer.varint(raised);
    writer.varint(reaped);
  }
  return writer.finish();
}

/** Reads what {@link encodeFences} wrote for so many partitions, and nothing else. */
export function decodeFences(bytes: Uint8Array, partitions: number): DecodedFences {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== version) return { ok: false, reason: "it is of a version not known here" };
  const fences: Fence[] = [];
  for (let partition = 0; partition < partitions && !reader.failed; partition += 1) {
    const raised = reader.varint();
    const reaped = reader.varint();
    if (reaped > raised) return { ok: false, reason: "something was reaped before it was raised" };
    fences.push(raised === 0 ? noFence : { raised, reaped });
  }
  if (reader.failed || reader.remaining > 0) {
    return { ok: false, reason: "it is too short or too long" };
  }
  return { ok: true, fences };
}
