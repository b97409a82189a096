import type { DiskOutcome } from "@coterie/ports";
import * as io from "../disk-promises.ts";
import { reserveName } from "../maintenance/space.ts";
import { type OpenSegment, type SegmentPorts, createSegment } from "./segment-allocator.ts";

/** Creates a start's segment. On a full disk the reserve is what a start needs most. */
export async function createFirst(
  ports: SegmentPorts,
  segment: number,
  partitions: number,
): Promise<DiskOutcome<OpenSegment>> {
  const created = await createSegment(ports, segment, partitions);
  if (created.ok || created.error !== "full") return created;
  const removed = await io.remove(ports.disk, reserveName);
  return removed.ok ? createSegment(ports, segment, partitions) : created;
}
