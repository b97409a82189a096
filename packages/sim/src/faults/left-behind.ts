import type { NodeId } from "@coterie/core";
import { latest } from "../operator.ts";
import type { SeededRandom } from "../random.ts";
import { type Battlefield, cutApart, pick } from "./battlefield.ts";
import { whenever } from "./whenever.ts";

/** No process stands still for longer. */
const stillMsMax = 6000;

/**
 * One process stands still just before others become owners, and so does what clients ask of it. A
 * former owner is cut off as soon as it is one, with the copy that it has left over. When others
 * have been written to for a while the one that stood still goes on, by the owners that it knows;
 * and it reaches the former one only.
 */
export function leftBehind(field: Battlefield, random: SeededRandom): boolean {
  const { cluster } = field;
  const writtenMs = 300 + random.below(1200);
  const togetherMs = 500 + random.below(2000);
  field.onNextChange((through) => {
    const members = latest(cluster)?.members ?? [];
    const others = members.map(({ id }) => id).filter((id) => id !== through && cluster.isUp(id));
    if (others.length === 0) return;
    const behind = pick(random, others);
    cluster.pause(behind);
    field.mendAfter(stillMsMax, () => cluster.resume(behind));
    whenever(
      field,
      () => formerOwner(field, behind),
      (former) => {
        const mend = cutApart(field, [former, behind], "silent");
        field.mendAfter(writtenMs, () => cluster.resume(behind));
        field.mendAfter(writtenMs + togetherMs, mend);
      },
    );
  });
  return true;
}

function formerOwner({ cluster }: Battlefield, behind: NodeId): NodeId | undefined {
  const document = latest(cluster);
  const left = document?.leftovers?.map(({ member }) => document.members[member]?.id);
  return left?.find((id) => id !== undefined && id !== behind);
}
