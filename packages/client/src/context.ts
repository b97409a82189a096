import { limits } from "@coterie/core";
import { CoterieError } from "./coterie-error.ts";

/**
 * What a read has seen of one key: given back with a write, it makes the write replace exactly
 * that. Opaque and immutable. As text it can be kept, in a form or a session, and parsed later; it
 * belongs to its key, and is the same text that the HTTP door calls `Coterie-Context`.
 */
export class Context {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /**
   * The context that {@link toString} gave as text.
   * @throws CoterieError `bad-context` if the text cannot be one.
   */
  static parse(text: string): Context {
    const context = Context.tryParse(text);
    if (context !== undefined) return context;
    throw new CoterieError({ code: "bad-context", message: "a context is text from toString()" });
  }

  /** As {@link parse}, but `undefined` if the text cannot be a context. */
  static tryParse(text: string): Context | undefined {
    const isOne = typeof text === "string" && text.length <= limits.contextTextMax;
    return isOne && /^[\w-]+$/u.test(text) ? new Context(text) : undefined;
  }

  toString(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.#text;
  }
}
