import { InvariantViolation } from "@coterie/core";

/** Counters of one thread; the largest target has some thousands. */
const countersMax = 1 << 16;
const profileSize = 1 << 20;
const comparesKept = 64;

/** Two operands of a comparison that did not hold, most recent last. */
export interface Compared {
  readonly left: number | string;
  readonly right: number | string;
}

/** An input made the code ask for more memory than its length justifies. */
class ExcessiveAllocation extends Error {}

/**
 * What instrumented code reports of one execution, and what was ever seen. A feature is a counter
 * in a range of its values (1, 2, 3, 4-7, ...), or how near the two sides of a comparison came.
 */
export class Feedback {
  readonly dictionary: (string | number)[] = [];
  readonly #edges = new Uint16Array(countersMax);
  readonly #seen = new Uint8Array(countersMax);
  readonly #near = new Uint8Array(profileSize);
  readonly #compared: Compared[] = [];
  #comparedAt = 0;
  #counters = 0;
  #fresh = 0;
  #bytes = 0;
  #bytesMax = Infinity;
  #features = 0;

  /** Makes the globals that instrumented modules use. */
  install(): void {
    Object.assign(globalThis, {
      __fuzzEdges: this.#edges,
      __fuzzModule: (strings: readonly string[], numbers: readonly number[], end: number): void => {
        if (end > countersMax) throw new InvariantViolation("there are enough counters");
        this.dictionary.push(...strings, ...numbers);
        this.#counters = Math.max(this.#counters, end);
      },
      __fuzzCompare: (id: number, operator: number, left: unknown, right: unknown): boolean =>
        this.#compare(id, operator, left, right),
      __fuzzAllocate: (length: unknown): unknown => {
        if (typeof length === "number") this.#allocate(length);
        return length;
      },
    });
  }

  /** Counters of the modules loaded so far. */
  get counters(): number {
    return this.#counters;
  }

  /** Features seen so far. */
  get features(): number {
    return this.#features;
  }

  get compared(): readonly Compared[] {
    return this.#compared;
  }

  /** Before an execution that may allocate so many bytes. */
  begin(bytesMax: number): void {
    this.#edges.fill(0, 0, this.#counters);
    this.#fresh = 0;
    this.#bytes = 0;
    this.#bytesMax = bytesMax;
  }

  /** After it: how many features it showed that none did before. */
  end(): number {
    this.#bytesMax = Infinity;
    for (let at = 0; at < this.#counters; at += 1) {
      const hits = this.#edges[at] as number;
      if (hits === 0) continue;
      const range = rangeOf(hits);
      if (((this.#seen[at] as number) & range) !== 0) continue;
      this.#seen[at] = (this.#seen[at] as number) | range;
      this.#fresh += 1;
    }
    this.#features += this.#fresh;
    return this.#fresh;
  }

  /** How many counters were ever hit. */
  get covered(): number {
    return this.#seen.subarray(0, this.#counters).reduce((sum, seen) => sum + Number(seen > 0), 0);
  }

  #compare(id: number, operator: number, left: unknown, right: unknown): boolean {
    if (typeof left === "number" && typeof right === "number") {
      if (left !== right) {
        this.#approach(id, Math.floor(Math.log2(Math.abs(left - right) + 1)) & 63);
        if (operator < 2) this.#remember(left, right);
      }
    } else if (typeof left === "string" && typeof right === "string" && left !== right) {
      this.#approach(id, 63 - Math.min(commonPrefix(left, right), 31));
      if (operator < 2) this.#remember(left, right);
    }
    return holds(operator, left as number, right as number);
  }

  #approach(id: number, distance: number): void {
    const at = (id * 64 + distance) % profileSize;
    if (this.#near[at] !== 0) return;
    this.#near[at] = 1;
    this.#fresh += 1;
  }

  #remember(left: number | string, right: number | string): void {
    this.#compared[this.#comparedAt] = { left, right };
    this.#comparedAt = (this.#comparedAt + 1) % comparesKept;
  }

  #allocate(length: number): void {
    this.#bytes += length;
    if (this.#bytes <= this.#bytesMax) return;
    this.#bytesMax = Infinity;
    throw new ExcessiveAllocation(`${this.#bytes} bytes or elements were asked for`);
  }
}

function rangeOf(hits: number): number {
  if (hits < 4) return 1 << (hits - 1);
  if (hits < 8) return 8;
  if (hits < 16) return 16;
  if (hits < 32) return 32;
  return hits < 128 ? 64 : 128;
}

function commonPrefix(left: string, right: string): number {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at += 1;
  return at;
}

function holds(operator: number, left: number, right: number): boolean {
  switch (operator) {
    case 0:
      return left === right;
    case 1:
      return left !== right;
    case 2:
      return left < right;
    case 3:
      return left <= right;
    case 4:
      return left > right;
    default:
      return left >= right;
  }
}
