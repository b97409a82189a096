import { type NodeId, type PartitionId, classIn } from "@coterie/core";
import type { Disk } from "@coterie/ports";
import type { PlacedKey } from "@coterie/storage";
import type { Coordination } from "../coordinator/coordination.ts";
import type { ListedEntry, PeerRefusal } from "../messages.ts";
import { isTaker, otherHolders, takesOf } from "../moves/roles.ts";
import type { Handoff } from "./handoff.ts";
import { type KeyBudget, MissedDebt } from "./missed-debt.ts";
import type { OwedPartitions } from "./owed-codec.ts";
import { OwedFile } from "./owed-file.ts";

/** After a crash, when all partitions are compared; until then what was noted goes first. */
const suspectMs = 15_000;

export interface MissedKeysParts extends Pick<
  Coordination,
  "self" | "clock" | "store" | "replica" | "ring"
> {
  readonly handoff: Handoff;
  readonly disk: Disk;
  readonly keysMax: number;
  readonly onFatal: (reason: string) => void;
}

/**
 * Keys of which another primary did not acknowledge a record, noted by the coordinator, itself a
 * primary. In memory: the tokens. On the disk: only which partitions owe anything to whom, so that
 * nothing in a put waits for it. What is noted is owed until the target has acknowledged.
 */
export class MissedKeys {
  readonly #parts: MissedKeysParts;
  readonly #debts = new Map<NodeId, MissedDebt>();
  readonly #budget: KeyBudget;
  readonly #file: OwedFile;
  /** Records sent to each target of which it is not known what became of them. */
  readonly #underWay = new Map<NodeId, number>();

  constructor(parts: MissedKeysParts) {
    const { clock, disk, keysMax, onFatal } = parts;
    this.#parts = parts;
    this.#budget = { used: 0, most: keysMax, mostForOne: Math.ceil(keysMax / 2) };
    this.#file = new OwedFile({ clock, disk, onFatal, owed: () => this.#owed() });
  }

  /** `target` did not acknowledge a record of this key, for this reason. */
  note(target: NodeId, { partition, token }: PlacedKey, code: PeerRefusal): void {
    // It never will: it is our own mistake, or a version that does not go with ours.
    if (code === "malformed") return;
    const { handoff } = this.#parts;
    handoff.counts.noted += 1;
    const debt = this.#debtTo(target);
    debt.note(partition, token);
    handoff.owe(debt);
  }

  /** What this node holds under these tokens, the others may not hold: they are to get it. */
  noteDiffering(partition: PartitionId, entries: readonly ListedEntry[]): void {
    const { handoff, ring, self } = this.#parts;
    for (const { id } of otherHolders(ring(), self, partition)) {
      const taken = entries.filter(({ digest }) =>
        takesOf(ring(), id, partition, classIn(digest.low)),
      );
      if (taken.length === 0) continue;
      const debt = this.#debtTo(id);
      for (const { token } of taken) debt.note(partition, token);
      handoff.counts.noted += taken.length;
      handoff.owe(debt);
    }
  }

  noteSent(target: NodeId): void {
    this.#underWay.set(target, (this.#underWay.get(target) ?? 0) + 1);
  }

  noteSettled(target: NodeId): void {
    this.#underWay.set(target, (this.#underWay.get(target) as number) - 1);
  }

  /** Takes over what was owed when the node last ran: its keys are not known any more. */
  adopt(owed: OwedPartitions): void {
    for (const [target, partitions] of owed) {
      if (target === this.#parts.self || partitions.length === 0) continue;
      const debt = this.#debtTo(target);
      for (const partition of partitions) {
        if (this.#isOwed(target, partition)) debt.soil(partition);
      }
      if (debt.partitions().length > 0) this.#parts.handoff.owe(debt);
    }
  }

  /**
   * The node did not stop in order: what it had under way may be here and not there, or there and
   * not here. So it is to compare all its partitions with all others who take them.
   */
  suspectAll(): void {
    const { clock, handoff, ring, self } = this.#parts;
    const own = ring().heldBy(self);
    const fromMs = clock.monotonicMs() + suspectMs;
    for (const { id } of ring().document.members) {
      if (id === self) continue;
      const shared = own.filter((partition) => isTaker(ring(), id, partition));
      if (shared.length === 0) continue;
      const debt = this.#debtTo(id);
      debt.suspect(shared, fromMs);
      handoff.owe(debt);
    }
  }

  /** From now on there is a file: if a later start finds none, it could not be written. */
  begin(): void {
    this.#file.noteOwed();
  }

  /**
   * Resolves when what is owed is written down. Writes are over once w have acknowledged them: what
   * is under way to the others is nobody's business any more, and may never arrive.
   */
  stop(): Promise<void> {
    for (const [target, records] of this.#underWay) if (records > 0) this.#soilAll(target);
    return this.#file.stop();
  }

  #soilAll(target: NodeId): void {
    const { ring, self } = this.#parts;
    for (const partition of ring().heldBy(self)) {
      if (target !== self && this.#isOwed(target, partition)) {
        this.#debtTo(target).soil(partition);
      }
    }
  }

  /**
   * A comparison brought here what this node lacked: it may be what it had noted others to miss
   * and has forgotten, with an old copy of its directory. Comparing with those others may be over.
   */
  #passOn(from: NodeId, placed: PlacedKey): void {
    const { handoff, ring, self } = this.#parts;
    const { bucket, partition, token } = placed;
    const n = ring().bucket(bucket)?.n ?? 0;
    for (const {
      member: { id },
    } of ring().holders(partition)) {
      if (id === self || id === from || !takesOf(ring(), id, partition, n)) continue;
      const debt = this.#debtTo(id);
      debt.note(partition, token);
      handoff.owe(debt);
    }
  }

  #isOwed(target: NodeId, partition: number): boolean {
    const ring = this.#parts.ring();
    return isTaker(ring, target, partition) && ring.isHolder(this.#parts.self, partition);
  }

  #owed(): OwedPartitions {
    const owed = new Map<NodeId, readonly number[]>();
    for (const [target, debt] of this.#debts) {
      const partitions = debt.partitions();
      if (partitions.length > 0) owed.set(target, partitions);
    }
    return owed;
  }

  #debtTo(target: NodeId): MissedDebt {
    let debt = this.#debts.get(target);
    if (debt === undefined) {
      debt = new MissedDebt({
        ...this.#parts,
        target,
        budget: this.#budget,
        counts: this.#parts.handoff.counts,
        onOwed: () => this.#file.noteOwed(),
        onPaid: () => this.#file.notePaid(),
        onTaken: (placed) => this.#passOn(target, placed),
      });
      this.#debts.set(target, debt);
    }
    return debt;
  }
}
