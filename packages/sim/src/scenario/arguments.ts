import type { RequestMode } from "@coterie/core";

/** Why a script cannot be run: the script is wrong, not what it tests. */
export class ScenarioError extends Error {}

const option = /^(?<name>[a-z-]+)=(?<value>.*)$/u;

/** The words of one command: `put n1 cart apple context=seen &first`. */
export class Arguments {
  readonly verb: string;
  /** Runs beside what follows, until `await` asks for it under this name. */
  readonly label: string | undefined;
  readonly #words: readonly string[];
  readonly #options = new Map<string, string>();
  readonly #taken = new Set<string>();
  #next = 0;

  constructor(line: string) {
    const [verb = "", ...rest] = line.trim().split(/\s+/u);
    this.verb = verb;
    const words: string[] = [];
    for (const word of rest) {
      const { name, value } = option.exec(word)?.groups ?? {};
      if (name !== undefined && value !== undefined) this.#options.set(name, value);
      else words.push(word);
    }
    const last = words.at(-1);
    this.label = last?.startsWith("&") === true ? last.slice(1) : undefined;
    this.#words = this.label === undefined ? words : words.slice(0, -1);
  }

  /** The next word, which must be there. */
  word(what: string): string {
    const word = this.optionalWord();
    if (word === undefined) throw new ScenarioError(`${this.verb} wants ${what}`);
    return word;
  }

  optionalWord(): string | undefined {
    return this.#words[this.#next++];
  }

  /** All words that are left. */
  rest(): readonly string[] {
    const rest = this.#words.slice(this.#next);
    this.#next = this.#words.length;
    return rest;
  }

  /** The value of `name=value`. */
  option(name: string): string | undefined {
    this.#taken.add(name);
    return this.#options.get(name);
  }

  number(name: string): number | undefined {
    const text = this.option(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isFinite(value)) throw new ScenarioError(`${name} is a number, not ${text}`);
    return value;
  }

  /** Refuses whatever the verb did not ask for. */
  end(): void {
    const [word] = this.rest();
    if (word !== undefined) throw new ScenarioError(`${this.verb} has no use for ${word}`);
    for (const name of this.#options.keys()) {
      if (!this.#taken.has(name)) throw new ScenarioError(`${this.verb} has no option ${name}`);
    }
  }
}

/** `500ms`, `2s`, `-10s`, `1m` or `1h`, as milliseconds. */
export function durationOf(text: string): number {
  const { sign, digits, unit } =
    /^(?<sign>[+-]?)(?<digits>\d+)(?<unit>ms|s|m|h)$/u.exec(text)?.groups ?? {};
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit ?? ""];
  if (factor === undefined) throw new ScenarioError(`${text} is no duration such as 500ms or 2s`);
  return Number(digits) * factor * (sign === "-" ? -1 : 1);
}

/** `strict` or `sloppy`. */
export function modeOf(text: string): RequestMode {
  if (text === "strict" || text === "sloppy") return text;
  throw new ScenarioError(`a mode is strict or sloppy, not ${text}`);
}
