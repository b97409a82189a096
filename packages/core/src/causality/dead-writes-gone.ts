import { type DeadWrite, deadWritesOnlyIn } from "./dead-writes.ts";
import type { CausalRecord } from "./record.ts";

const none: readonly DeadWrite[] = [];

/**
 * What `before` says of writes and `after`, which was made of it, does not say any more: ids that
 * were cut from the list, and those of siblings that went without being remembered. Of those nobody
 * knows who had read them: they count as unread.
 */
export function deadWritesGone(before: CausalRecord, after: CausalRecord): readonly DeadWrite[] {
  const siblings = siblingsGone(before, after);
  if (before.deadWrites === after.deadWrites) return siblings;
  const cut = deadWritesOnlyIn(before.deadWrites, after.deadWrites);
  return siblings.length === 0 ? cut : [...cut, ...siblings];
}

function siblingsGone(before: CausalRecord, after: CausalRecord): readonly DeadWrite[] {
  if (before.siblings === after.siblings) return none;
  let gone = none;
  for (const { writeId, writtenAt } of before.siblings) {
    if (writeId === undefined || after.deadWrites.isRemembered(writeId)) continue;
    if (after.siblings.some((sibling) => sibling.writeId === writeId)) continue;
    gone = [...gone, { writeId, writtenAtMs: writtenAt.wallMs, isUnread: true }];
  }
  return gone;
}
