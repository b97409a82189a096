import type { PartitionId, Token } from "@coterie/core";
import type { Location } from "./index/location.ts";
import type { RecordIndex } from "./index/record-index.ts";
import { decodeEntry, isRecordKind } from "./log/format.ts";
import type { Group } from "./log/group.ts";
import type { SegmentFiles } from "./log/segment-files.ts";
import type { RecordLoader } from "./record-loader.ts";
import type { Damage } from "./recovery/damage.ts";
import type { FindAllQuery } from "./store.ts";

/** What lies between two records is read with them if it is this little: a read costs more. */
const gapBytesMax = 16 * 1024;
/** Bytes read at once, unless a single record is larger. */
const sliceBytesMax = 256 * 1024;
/** Reads at once: others want to read too. */
const readsMax = 4;

export interface BulkParts {
  readonly index: RecordIndex;
  readonly files: SegmentFiles;
  readonly loader: RecordLoader;
  readonly damage: Damage;
}

/** A record that has to be read. */
interface Wanted {
  /** Which place of the query. */
  readonly at: number;
  readonly partition: PartitionId;
  readonly token: Token;
  readonly location: Location;
}

/** Records that lie close together in one segment. */
interface Slice {
  readonly segment: number;
  readonly start: number;
  end: number;
  readonly wanted: Wanted[];
}

/**
 * The encoded records under many tokens, in the order of the query, read in the order of the log:
 * those of the first tokens that have so many bytes together, and of one at least. What it returns
 * is durable. Nothing is entered into the cache: whoever wants so much wants it once.
 */
export async function lookupAll(
  parts: BulkParts,
  query: FindAllQuery,
): Promise<readonly (readonly Uint8Array[])[]> {
  const { loader } = parts;
  const { found, wanted, unsynced } = collect(parts, query);
  const again = new Set<number>();
  const slices = slicesOf(wanted);
  const readSome = async (): Promise<void> => {
    for (let slice = slices.pop(); slice !== undefined; slice = slices.pop()) {
      await readSlice(parts, slice, found, again);
    }
  };
  const reading = Array.from({ length: Math.min(readsMax, slices.length) }, readSome);
  for (const each of reading) await each;
  loader.readsFromDisk += wanted.length;
  for (const at of again) found[at] = await lookupOne(parts, query, at);
  for (const group of unsynced) await whenDurable(loader, group);
  return found;
}

interface Collected {
  /** What is in memory. */
  readonly found: Uint8Array[][];
  readonly wanted: Wanted[];
  readonly unsynced: ReadonlySet<Group>;
}

function collect(
  { index, loader, damage }: BulkParts,
  { places, bytesMax }: FindAllQuery,
): Collected {
  const found: Uint8Array[][] = [];
  const wanted: Wanted[] = [];
  const unsynced = new Set<Group>();
  let bytes = 0;
  for (const [at, { partition, token }] of places.entries()) {
    const locations = index.find(partition, token);
    for (const { length } of locations) bytes += length;
    if (at > 0 && bytes > bytesMax) break;
    const here: Uint8Array[] = [];
    found.push(here);
    for (const location of locations) {
      if (damage.holds(token, location)) continue;
      const inMemory = loader.inMemory(location);
      if (inMemory === undefined) wanted.push({ at, partition, token, location });
      else here.push(inMemory);
      const group = loader.groupOf(location);
      if (group !== undefined) unsynced.add(group);
    }
  }
  return { found, wanted, unsynced };
}

/** In the order of the log; the last one first. */
function slicesOf(wanted: Wanted[]): Slice[] {
  wanted.sort((left, right) => {
    const { segment, offset } = left.location;
    return segment - right.location.segment || offset - right.location.offset;
  });
  const slices: Slice[] = [];
  for (const each of wanted) {
    const { segment, offset, length } = each.location;
    const end = offset + length;
    const last = slices.at(-1);
    const isNear =
      last?.segment === segment &&
      offset - last.end <= gapBytesMax &&
      end - last.start <= sliceBytesMax;
    if (isNear) {
      last.wanted.push(each);
      last.end = end;
    } else slices.push({ segment, start: offset, end, wanted: [each] });
  }
  return slices.toReversed();
}

async function readSlice(
  { index, files }: BulkParts,
  { segment, start, end, wanted }: Slice,
  found: Uint8Array[][],
  again: Set<number>,
): Promise<void> {
  const content = await files.load(segment, start, end - start);
  for (const { at, partition, token, location } of wanted) {
    // Meanwhile an update or compaction may have put it elsewhere.
    const isThere = index.has(partition, token, location);
    const bytes =
      content.ok && isThere
        ? decodeAt(content.value, location.offset - start, location)
        : undefined;
    if (bytes === undefined) again.add(at);
    else found[at]?.push(bytes);
  }
}

function decodeAt(slice: Uint8Array, at: number, { length }: Location): Uint8Array | undefined {
  const entry = decodeEntry(slice, at, Math.min(slice.length, at + length));
  return entry?.length === length && isRecordKind(entry.kind) ? entry.body : undefined;
}

/** What has moved, or cannot be read, is looked up by itself: that says what is damaged. */
function lookupOne(
  { loader }: BulkParts,
  { places }: FindAllQuery,
  at: number,
): Promise<Uint8Array[]> {
  const place = places[at];
  if (place === undefined) return Promise.resolve([]);
  return new Promise((resolve) => {
    loader.lookupToken(place.partition, place.token, (found) => {
      let pending = found.length;
      const becameDurable = (): void => {
        pending -= 1;
        if (pending <= 0) resolve(found.map(({ stored }) => stored.bytes));
      };
      if (pending === 0) return becameDurable();
      for (const { location } of found) loader.whenDurable(location, { becameDurable });
    });
  });
}

function whenDurable(loader: RecordLoader, group: Group): Promise<void> {
  return new Promise((resolve) => {
    if (loader.isUnsynced(group)) group.waiters.push({ becameDurable: resolve });
    else resolve();
  });
}
