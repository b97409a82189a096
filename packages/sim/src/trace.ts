/** It becomes text, with its time, when somebody reads it: few lines are ever read. */
interface Line {
  readonly timeMs: number;
  readonly parts: readonly TracePart[];
}

/** What lines are put together of. */
export type TracePart = string | number;

/** What happened, as lines: the last ones are kept, and all of them are in the hash. */
export class Trace {
  readonly #kept: Line[] = [];
  readonly #linesMax: number;
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  add(timeMs: number, parts: readonly TracePart[]): void {
    this.mix(timeMs | 0);
    this.mix((timeMs % 1) * 0x4000_0000);
    let units = this.#low;
    for (let index = 0; index < parts.length; index += 1) {
      const part = parts[index] as TracePart;
      if (typeof part === "number") {
        units = Math.imul(units ^ part, 0x01000193);
        if (part !== (part | 0)) units = Math.imul(units ^ (part * 0x4000_0000), 0x01000193);
        continue;
      }
      for (let at = 0; at < part.length; at++) {
        units = Math.imul(units ^ part.charCodeAt(at), 0x01000193);
      }
    }
    this.mix(units);
    this.#kept.push({ timeMs, parts });
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
    return this.#kept
      .slice(-this.#linesMax)
      .map(({ timeMs, parts }) => `${timeMs.toFixed(3)} ${parts.join("")}`);
  }

  /** Puts a number into the hash only. */
  mix(unit: number): void {
    this.#low = Math.imul(this.#low ^ unit, 0x01000193);
    this.#high = Math.imul(this.#high ^ (unit + (this.#low >>> 15)), 0x85ebca6b);
  }
}
