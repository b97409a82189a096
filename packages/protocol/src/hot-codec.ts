import type { HotKey, HotKeysResponse, HotTable } from "@coterie/cluster";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

// What nodes tell each other of the keys asked for most (docs/operations/hot-keys.md).

/** Tag of the field 25 of an Operation. */
export const hotTags = { "ask-hot-keys": 0xca } as const;
/** Tag of the field 25 of a Result. */
export const hotAnswerTags = { "hot-keys": 0xca } as const;

/** Of one table, at most. */
const keysMax = 1024;
/** Bytes of a table's or a key's numbers, and of what they are wrapped in. */
const fixedFieldsHint = 32;

export function hotAnswerSizeHint({ reads, writes }: HotKeysResponse): number {
  return fixedFieldsHint + tableSizeHint(reads) + tableSizeHint(writes);
}

function tableSizeHint({ keys }: HotTable): number {
  return keys.reduce((sum, each) => sum + keySizeHint(each), fixedFieldsHint);
}

function keySizeHint({ bucket, key }: HotKey): number {
  return fixedFieldsHint + bucket.length + key.length;
}

export function writeHotKeys(writer: WireWriter, { reads, writes }: HotKeysResponse): void {
  writeTable(writer, 0x0a, reads);
  writeTable(writer, 0x12, writes);
}

function writeTable(writer: WireWriter, tag: number, table: HotTable): void {
  const sizeHint = tableSizeHint(table);
  const start = writer.open(tag, sizeHint);
  writer.doubleOrDefault(0x09, table.perSecond);
  writer.doubleOrDefault(0x11, table.floorPerSecond);
  for (const key of table.keys) writeKey(writer, key);
  writer.close(start, sizeHint);
}

function writeKey(writer: WireWriter, hot: HotKey): void {
  const sizeHint = keySizeHint(hot);
  const start = writer.open(0x1a, sizeHint);
  writer.textOrDefault(0x0a, hot.bucket);
  writer.bytesOrDefault(0x12, hot.key);
  writer.doubleOrDefault(0x19, hot.perSecond);
  writer.doubleOrDefault(0x21, hot.errorPerSecond);
  writer.close(start, sizeHint);
}

export function readHotKeys(reader: WireReader): HotKeysResponse {
  let reads = noTable;
  let writes = noTable;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) reads = readTable(reader);
    else if (tag === 0x12) writes = readTable(reader);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "hot-keys", reads, writes };
}

const noTable: HotTable = { perSecond: 0, floorPerSecond: 0, keys: [] };

function readTable(reader: WireReader): HotTable {
  const rates = { perSecond: 0, floorPerSecond: 0 };
  const keys: HotKey[] = [];
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x09) rates.perSecond = reader.finite();
    else if (tag === 0x11) rates.floorPerSecond = reader.finite();
    else if (tag === 0x1a && keys.length < keysMax) keys.push(readKey(reader));
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { ...rates, keys };
}

function readKey(reader: WireReader): HotKey {
  const rates = { perSecond: 0, errorPerSecond: 0 };
  let bucket = "";
  let key: Uint8Array = new Uint8Array(0);
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === 0x0a) bucket = reader.text();
    else if (tag === 0x12) key = reader.view();
    else if (tag === 0x19) rates.perSecond = reader.finite();
    else if (tag === 0x21) rates.errorPerSecond = reader.finite();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { bucket, key, ...rates };
}
