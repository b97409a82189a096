import { type ClusterDocument, type NodeId, encodeDocument, equalBytes } from "@coterie/core";

/**
 * All versions of the document that any node has gone by. Each follows from the one before by a
 * step of a move: owners change only where the last one awaited has arrived, and then to those whom
 * the move named; or where the last ones in order go, and nobody takes their places.
 */
export class RingVersions {
  /** What was wrong with them. */
  readonly violations: string[] = [];
  readonly #versions = new Map<number, ClusterDocument>();

  note(node: NodeId, document: ClusterDocument): void {
    const { epoch } = document;
    const known = this.#versions.get(epoch);
    if (known === undefined) {
      this.#versions.set(epoch, document);
      this.#judge(epoch);
      this.#judge(epoch + 1);
    } else if (!equalBytes(encodeDocument(known), encodeDocument(document))) {
      this.violations.push(`${node} goes by another version ${epoch} than others`);
    }
  }

  #judge(epoch: number): void {
    const before = this.#versions.get(epoch - 1);
    const after = this.#versions.get(epoch);
    if (before === undefined || after === undefined) return;
    for (const partition of before.owners.keys()) {
      const problem = problemBetween(view(before, partition), view(after, partition));
      if (problem !== undefined) {
        this.violations.push(`version ${epoch}, partition ${partition}: ${problem}`);
      }
    }
  }
}

interface PartitionView {
  readonly owners: readonly string[];
  readonly to: readonly string[] | undefined;
  readonly awaited: readonly string[];
  readonly leftovers: readonly string[];
  readonly removed: ReadonlySet<string>;
}

function view(document: ClusterDocument, partition: number): PartitionView {
  const { members, owners, moves = [], leftovers = [] } = document;
  const name = (index: number): string => members[index]?.id ?? "nobody";
  const move = moves.find((each) => each.partition === partition);
  return {
    owners: (owners[partition] ?? []).map(name),
    to: move?.to.map(name),
    awaited: move?.awaited.map(name) ?? [],
    leftovers: leftovers
      .filter((leftover) => leftover.partition === partition)
      .map(({ member }) => name(member)),
    removed: new Set(
      members.filter(({ departure }) => departure === "removed").map(({ id }) => id),
    ),
  };
}

function problemBetween(before: PartitionView, after: PartitionView): string | undefined {
  if (before.owners.join(" ") === after.owners.join(" ")) return undefined;
  // Nobody has to get anything where the last of them only go.
  const isShorter = after.owners.every((id, place) => before.owners[place] === id);
  if (isShorter && before.to === undefined) return lossBetween(before, after);
  if (before.to?.join(" ") !== after.owners.join(" "))
    return "its owners are not those it moved to";
  if (before.awaited.length > 1) return `it flipped while ${before.awaited.join(", ")} lacked it`;
  if (after.to !== undefined) return "it flipped and moves on at once";
  return lossBetween(before, after);
}

function lossBetween(before: PartitionView, after: PartitionView): string | undefined {
  const held = new Set([...after.owners, ...after.leftovers]);
  const lost = before.owners.find((id) => !held.has(id) && !before.removed.has(id));
  return lost === undefined ? undefined : `${lost} lost its copy with the flip`;
}
