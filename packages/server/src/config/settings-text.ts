/** A configuration file that was read: JSON, in which comments and trailing commas are allowed. */
export interface SettingsText {
  readonly value: unknown;
  /** By a member's path, as in `buckets.carts.n`: the line its name stands in, from 1. */
  readonly lines: ReadonlyMap<string, number>;
}

export type ParsedSettingsText =
  | ({ readonly ok: true } & SettingsText)
  | { readonly ok: false; readonly line: number; readonly message: string };

/** Levels of nesting: a configuration needs three. */
const depthMax = 16;

/** Reads a file's text; a name given twice in one object is an error, unlike in JSON. */
export function parseSettingsText(text: string): ParsedSettingsText {
  const reader = new SettingsReader(text.replace(/^\uFEFF/u, ""));
  const value = reader.document();
  const { problem, lines } = reader;
  return problem === undefined ? { ok: true, value, lines } : { ok: false, ...problem };
}

const gap = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)*/uy;
const scalar = /"(?:[^"\\\n]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/uy;

class SettingsReader {
  readonly lines = new Map<string, number>();
  /** The first thing that is wrong; from then on nothing is read. */
  problem: { readonly line: number; readonly message: string } | undefined;
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value([]);
    this.#skipGap();
    if (this.#at < this.#text.length) this.#fail("nothing may follow the closing brace");
    return value;
  }

  #value(path: readonly string[]): unknown {
    this.#skipGap();
    if (path.length > depthMax) return this.#fail("this is nested too deeply");
    if (this.#take("{")) return this.#object(path);
    if (this.#take("[")) return this.#list(path);
    const token = this.#match(scalar);
    try {
      if (token !== undefined) return JSON.parse(token);
    } catch {
      // A text with a raw control character, or a number like 1.2.3.
    }
    return this.#fail(token === undefined ? "a value is missing here" : `${token} is no JSON`);
  }

  #object(path: readonly string[]): Readonly<Record<string, unknown>> {
    const members = new Map<string, unknown>();
    while (this.#goesOn("}")) {
      this.#skipGap();
      const line = this.#line();
      const name = this.#text[this.#at] === '"' ? this.#value(path) : undefined;
      if (typeof name !== "string") {
        this.#fail("a name in double quotes, or a closing brace, is missing here");
        break;
      }
      if (members.has(name)) this.#fail(`"${name}" is given twice`);
      this.lines.set([...path, name].join("."), line);
      this.#skipGap();
      if (!this.#take(":")) this.#fail(`a colon is missing after "${name}"`);
      members.set(name, this.#value([...path, name]));
      this.#separate("}");
    }
    return Object.fromEntries(members);
  }

  #list(path: readonly string[]): readonly unknown[] {
    const items: unknown[] = [];
    while (this.#goesOn("]")) {
      items.push(this.#value([...path, String(items.length)]));
      this.#separate("]");
    }
    return items;
  }

  /** False after the closing bracket, and after a problem. */
  #goesOn(closing: string): boolean {
    this.#skipGap();
    return this.problem === undefined && !this.#take(closing);
  }

  #separate(closing: string): void {
    this.#skipGap();
    if (!this.#take(",") && this.#text[this.#at] !== closing) this.#fail("a comma is missing here");
  }

  #skipGap(): void {
    this.#match(gap);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  #line(): number {
    return this.#text.slice(0, this.#at).split("\n").length;
  }

  #fail(message: string): undefined {
    this.problem ??= { line: this.#line(), message };
    return undefined;
  }
}
