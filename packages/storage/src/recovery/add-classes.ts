import { decodeRecordKey, withClass } from "@coterie/core";
import type { RecordIndex } from "../index/record-index.ts";
import { decodeEntry } from "../log/format.ts";
import type { SegmentFiles } from "../log/segment-files.ts";
import type { KeySpace } from "./latest-entries.ts";

/**
 * Says the class in each digest of an index that an earlier version wrote down: which bucket a
 * record is of, its bytes say. One that cannot be read keeps what it has until it is refilled.
 */
export async function addClasses(
  index: RecordIndex,
  files: SegmentFiles,
  { partitions, classOf }: KeySpace,
): Promise<void> {
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const { token, location } of index.entriesAfter(partition, undefined)) {
      const content = await files.load(location.segment, location.offset, location.length);
      const entry = content.ok ? decodeEntry(content.value, 0, location.length) : undefined;
      const key = entry === undefined ? undefined : decodeRecordKey(entry.body);
      if (key === undefined) continue;
      const digest = withClass(location.digest, classOf(key.bucket));
      index.move(partition, token, location, { ...location, digest });
    }
  }
}
