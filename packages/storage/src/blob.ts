import { ByteReader, ByteWriter, crc32c } from "@coterie/core";
import type { Disk, DiskOutcome, Settle } from "@coterie/ports";
import {
  close,
  open,
  read,
  remove,
  rename,
  size,
  sync,
  syncDirectory,
  write,
} from "./disk-promises.ts";

// A blob is a small file that is replaced whole: magic, length, CRC32C, bytes. It is either the
// old one or the new one after a crash, never a mixture (docs/internals/log-format.md).

const MAGIC = 0x314c_4243; // "CBL1"
const HEADER_BYTES = 12;

/** Durably replaces the blob `name`. */
export function saveBlob(disk: Disk, name: string, bytes: Uint8Array, settle: Settle): void {
  void save(disk, name, bytes).then(settle);
}

/** Reads the blob `name`; `undefined` if there is none. A damaged one is an `io` failure. */
export function loadBlob(disk: Disk, name: string, settle: Settle<Uint8Array | undefined>): void {
  void load(disk, name).then(settle);
}

async function save(disk: Disk, name: string, bytes: Uint8Array): Promise<DiskOutcome> {
  const writer = new ByteWriter(HEADER_BYTES + bytes.length);
  writer.u32(MAGIC);
  writer.u32(bytes.length);
  writer.u32(crc32c(bytes));
  writer.bytes(bytes);
  const draft = `${name}.new`;
  await remove(disk, draft);
  const opened = await open(disk, draft, "create");
  if (!opened.ok) return opened;
  const written = await write(disk, opened.value, 0, writer.finish());
  const synced = written.ok ? await sync(disk, opened.value) : written;
  await close(disk, opened.value);
  if (!synced.ok) return synced;
  const renamed = await rename(disk, draft, name);
  return renamed.ok ? syncDirectory(disk) : renamed;
}

async function load(disk: Disk, name: string): Promise<DiskOutcome<Uint8Array | undefined>> {
  const opened = await open(disk, name, "existing");
  if (!opened.ok) {
    return opened.error === "missing" ? { ok: true, value: undefined } : opened;
  }
  const length = await size(disk, opened.value);
  const content = length.ok ? await read(disk, opened.value, 0, length.value) : length;
  await close(disk, opened.value);
  if (!content.ok) return content;
  const reader = new ByteReader(content.value);
  const magic = reader.u32();
  const expected = reader.u32();
  const checksum = reader.u32();
  const bytes = reader.view(expected);
  if (reader.failed || magic !== MAGIC || reader.remaining > 0 || crc32c(bytes) !== checksum) {
    return { ok: false, error: "io", message: `${name} is damaged` };
  }
  return { ok: true, value: bytes.slice() };
}
