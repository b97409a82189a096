import type { NodeId } from "@coterie/core";
import { latest } from "../operator.ts";
import type { SeededRandom } from "../random.ts";
import { type Battlefield, addressOf, cutApart } from "./battlefield.ts";
import { whenever } from "./whenever.ts";

/** Who is about to give a partition up, and who has all of it but has not said so yet. */
interface HandingOver {
  readonly giver: NodeId;
  readonly heir: NodeId;
}

/**
 * Who gives a partition up is cut off from all others once it has handed everything over, and just
 * before it is an owner no more; clients still reach it. What it takes on its own then nobody else
 * has. Afterwards it reaches everybody but the one that owns the partition now.
 */
export function leaverCut(field: Battlefield, random: SeededRandom): boolean {
  const { cluster } = field;
  const { network } = cluster;
  const kind = random.chance(500) ? "silent" : "refusing";
  const aloneMs = 1500 + random.below(2500);
  const apartMs = 1000 + random.below(2500);
  const find = (): HandingOver | undefined => handingOver(field);
  field.onNextChange(() => {
    whenever(field, find, ({ giver, heir }) => {
      const mend = cutApart(field, [giver], kind);
      const [one, two] = [addressOf(giver), addressOf(heir)];
      field.mendAfter(aloneMs, () => {
        mend();
        if (field.isOver) return;
        network.partition([one], [two], kind);
        field.mendAfter(apartMs, () => {
          network.mend(one, two);
          network.mend(two, one);
        });
      });
    });
  });
  return true;
}

function handingOver({ cluster }: Battlefield): HandingOver | undefined {
  const document = latest(cluster);
  if (document === undefined) return undefined;
  const { members, moves = [], owners } = document;
  for (const { partition, to, awaited } of moves) {
    const heir = members[awaited[0] ?? -1]?.id;
    const giver = owners[partition]?.find((owner) => !to.includes(owner));
    if (heir === undefined || giver === undefined) continue;
    const view = cluster.node(heir)?.moves();
    const hasAll = view !== undefined && view.awaited > 0 && view.exchanges === view.exchangesDone;
    const id = members[giver]?.id;
    if (hasAll && id !== undefined) return { giver: id, heir };
  }
  return undefined;
}
