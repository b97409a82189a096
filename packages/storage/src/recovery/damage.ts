import type { PartitionId, Token } from "@coterie/core";
import type { Place } from "../index/location.ts";
import type { DamagedToken } from "../store.ts";

/** A damaged record: its token, and where in the log it is. */
export interface DamagedEntry extends DamagedToken, Place {}

interface DamagedAtToken {
  readonly partition: PartitionId;
  readonly token: Token;
  readonly entries: DamagedEntry[];
}

/** What this directory is known to have lost. Until it is refilled, reads of it are *unknown*. */
export class Damage {
  readonly #tokens = new Map<string, DamagedAtToken>();
  readonly #partitions = new Set<PartitionId>();
  /** False while keys that nobody can name may be missing. */
  isWhole = true;

  /** Partitions of which keys that nobody can name may be missing. */
  get partitions(): readonly PartitionId[] {
    return [...this.#partitions];
  }

  /** True if a record may have been there that was lost. */
  isUnknown(partition: PartitionId, token: Token): boolean {
    return !this.isWhole || this.#partitions.has(partition) || this.has(token);
  }

  /** All of a partition is missing; so nothing in it is damaged any more. */
  losePartition(partition: PartitionId): void {
    this.#partitions.add(partition);
    for (const [name, { partition: other }] of this.#tokens) {
      if (other === partition) this.#tokens.delete(name);
    }
  }

  /** Nothing of it is missing any more; false if nothing was. */
  regainPartition(partition: PartitionId): boolean {
    return this.#partitions.delete(partition);
  }

  /** False if it was known already. */
  add(damaged: DamagedEntry): boolean {
    const { partition, token, segment, offset } = damaged;
    const name = tokenName(token);
    const known = this.#tokens.get(name);
    if (known === undefined) {
      this.#tokens.set(name, { partition, token, entries: [damaged] });
      return true;
    }
    if (known.entries.some((each) => each.segment === segment && each.offset === offset)) {
      return false;
    }
    known.entries.push(damaged);
    return true;
  }

  has(token: Token): boolean {
    return this.#tokens.size > 0 && this.#tokens.has(tokenName(token));
  }

  /** True if this very record is known to be damaged. */
  holds(token: Token, { segment, offset }: Place): boolean {
    if (this.#tokens.size === 0) return false;
    const entries = this.#tokens.get(tokenName(token))?.entries ?? [];
    return entries.some((each) => each.segment === segment && each.offset === offset);
  }

  /** Forgets the damage of a token, and returns it. */
  remove(token: Token): readonly DamagedEntry[] {
    const name = tokenName(token);
    const entries = this.#tokens.get(name)?.entries ?? [];
    this.#tokens.delete(name);
    return entries;
  }

  tokens(): readonly DamagedToken[] {
    return [...this.#tokens.values()].map(({ partition, token }) => ({ partition, token }));
  }

  entries(): readonly DamagedEntry[] {
    return [...this.#tokens.values()].flatMap(({ entries }) => entries);
  }
}

/** A token as the key of a `Map`. */
export function tokenName(token: Token): string {
  return `${token.high}:${token.low}`;
}
