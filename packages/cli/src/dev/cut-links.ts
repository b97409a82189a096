/** How a node's link to another one is cut: for what it sends there, or what comes from there. */
export interface CutLink {
  readonly id: string;
  readonly to: boolean;
  readonly from: boolean;
}

/** Which links of a cluster are cut, each direction by itself. */
export class CutLinks {
  #ids: readonly string[];
  /** For each node, those that nothing arrives at of what it sends. */
  readonly #lost: Map<string, Set<string>>;

  constructor(ids: readonly string[]) {
    this.#ids = ids;
    this.#lost = new Map(ids.map((id) => [id, new Set()]));
  }

  /** One more node, with whole links. */
  add(id: string): void {
    this.#ids = [...this.#ids, id];
    this.#lost.set(id, new Set());
  }

  /** A node is no more. */
  remove(id: string): void {
    this.heal([id]);
    this.#ids = this.#ids.filter((other) => other !== id);
    this.#lost.delete(id);
  }

  /**
   * Cuts all links between nodes of different groups; one group is cut off from the rest. One way,
   * only what earlier groups send to later ones is lost.
   */
  cut(groups: readonly (readonly string[])[], isOneWay: boolean): void {
    const [first = []] = groups;
    const sides =
      groups.length > 1 ? groups : [first, this.#ids.filter((id) => !first.includes(id))];
    for (const [index, side] of sides.entries()) {
      for (const from of side) {
        for (const to of sides.slice(index + 1).flat()) {
          this.#lost.get(from)?.add(to);
          if (!isOneWay) this.#lost.get(to)?.add(from);
        }
      }
    }
  }

  /** Makes all links of these nodes whole; of all nodes, if none is named. */
  heal(ids: readonly string[]): void {
    const isHealed = (id: string): boolean => ids.length === 0 || ids.includes(id);
    for (const [from, lost] of this.#lost) {
      for (const to of lost) if (isHealed(from) || isHealed(to)) lost.delete(to);
    }
  }

  isCut(one: string, other: string): boolean {
    return this.#isLost(one, other) || this.#isLost(other, one);
  }

  /** What a node must know: its own links that are cut. */
  of(id: string): readonly CutLink[] {
    return this.#ids
      .filter((other) => this.isCut(id, other))
      .map((other) => ({ id: other, to: this.#isLost(id, other), from: this.#isLost(other, id) }));
  }

  /** A line for people, such as `cut now: n1 | n2, n1 -> n3`. */
  describe(): string {
    const both: string[] = [];
    const oneWay: string[] = [];
    for (const [index, one] of this.#ids.entries()) {
      for (const other of this.#ids.slice(index + 1)) {
        const [forth, back] = [this.#isLost(one, other), this.#isLost(other, one)];
        if (forth && back) both.push(`${one} | ${other}`);
        else if (forth) oneWay.push(`${one} -> ${other}`);
        else if (back) oneWay.push(`${other} -> ${one}`);
      }
    }
    const cuts = [...both, ...oneWay];
    return cuts.length === 0 ? "all links are whole" : `cut now: ${cuts.join(", ")}`;
  }

  #isLost(from: string, to: string): boolean {
    return this.#lost.get(from)?.has(to) ?? false;
  }
}
