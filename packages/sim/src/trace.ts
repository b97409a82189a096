/** What happened, as lines: the last ones are kept, and all of them are in the hash. */
export class Trace {
  readonly #kept: string[] = [];
  readonly #linesMax: number;
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  add(line: string): void {
    for (let at = 0; at < line.length; at++) this.mix(line.charCodeAt(at));
    this.mix(10);
    this.#kept.push(line);
    // Cut now and then rather than at every line, which would copy the array each time.
    if (this.#kept.length >= this.#linesMax * 2) this.#kept.splice(0, this.#linesMax);
  }

  /** 16 hex digits: equal for equal traces. */
  hash(): string {
    const digits = (part: number): string => (part >>> 0).toString(16).padStart(8, "0");
    return digits(this.#high) + digits(this.#low);
  }

  /** The last lines, oldest first. */
  tail(): readonly string[] {
    return this.#kept.slice(-this.#linesMax);
  }

  /** Puts a number into the hash only. */
  mix(unit: number): void {
    this.#low = Math.imul(this.#low ^ unit, 0x01000193);
    this.#high = Math.imul(this.#high ^ (unit + (this.#low >>> 15)), 0x85ebca6b);
  }
}
