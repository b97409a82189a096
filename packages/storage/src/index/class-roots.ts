import { type RangeDigest, classIn } from "@coterie/core";

/** What the entries of one class come to. */
export interface ClassRoot {
  readonly copies: number;
  high: number;
  low: number;
  count: number;
}

const nothing: Omit<ClassRoot, "copies"> = { high: 0, low: 0, count: 0 };

/** Per class that occurs in a partition, the XOR of its entries' digests, and their number. */
export class ClassRoots {
  /** Few: buckets rarely differ in n. */
  readonly #roots: ClassRoot[] = [];

  /** Adds an entry, by the halves of its digest: each put comes here, and makes no object. */
  add(high: number, low: number): void {
    this.#flip(high, low).count += 1;
  }

  /** Takes an entry away: XOR undoes itself. */
  remove(high: number, low: number): void {
    this.#flip(high, low).count -= 1;
  }

  /** All classes above `above` together. */
  above(above: number): RangeDigest {
    let high = 0;
    let low = 0;
    let count = 0;
    for (const root of this.#roots) {
      if (root.copies <= above) continue;
      high ^= root.high;
      low ^= root.low;
      count += root.count;
    }
    return { high: high >>> 0, low: low >>> 0, count };
  }

  all(): readonly Readonly<ClassRoot>[] {
    return this.#roots;
  }

  /** Takes over what one class comes to. */
  put(root: Readonly<ClassRoot>): void {
    this.#roots.push({ ...root });
  }

  /** True if both come to the same, class by class. */
  equals(other: ClassRoots): boolean {
    return this.#covers(other) && other.#covers(this);
  }

  #covers(other: ClassRoots): boolean {
    return other.#roots.every(({ copies, high, low, count }) => {
      const own = this.#roots.find((each) => each.copies === copies);
      const { high: ownHigh, low: ownLow, count: ownCount } = own ?? nothing;
      return ownHigh === high && ownLow === low && ownCount === count;
    });
  }

  #flip(high: number, low: number): ClassRoot {
    const root = this.#rootOf(classIn(low));
    root.high ^= high;
    root.low ^= low;
    return root;
  }

  #rootOf(copies: number): ClassRoot {
    for (const root of this.#roots) if (root.copies === copies) return root;
    const root = { copies, high: 0, low: 0, count: 0 };
    this.#roots.push(root);
    return root;
  }
}
