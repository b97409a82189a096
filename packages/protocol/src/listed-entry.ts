import type { ListedEntry } from "@coterie/cluster";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** About how many bytes an entry takes. */
export const listedEntryHint = 22;

export function writeListedEntry(
  writer: WireWriter,
  tag: number,
  { token, digest }: ListedEntry,
): void {
  const start = writer.open(tag, listedEntryHint);
  writer.fixed32OrDefault(0x0d, token.high);
  writer.fixed32OrDefault(0x15, token.low);
  writer.fixed32OrDefault(0x1d, digest.high);
  writer.fixed32OrDefault(0x25, digest.low);
  writer.close(start, listedEntryHint);
}

export function readListedEntry(reader: WireReader): ListedEntry {
  const token = { high: 0, low: 0 };
  const digest = { high: 0, low: 0 };
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0d) token.high = reader.fixed32();
    else if (tag === 0x15) token.low = reader.fixed32();
    else if (tag === 0x1d) digest.high = reader.fixed32();
    else if (tag === 0x25) digest.low = reader.fixed32();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { token, digest };
}
