import type { Sibling } from "@coterie/core";

/** How a time of expiry is written, for messages. */
export const expiryForm = "a time in UTC such as 2031-02-28T12:00:00.000Z";

const form = /^(?:\d{4}|\+\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/u;

/** Milliseconds since 1970; `undefined` if the text is no time of that form. */
export function expiryFrom(text: string): number | undefined {
  const ms = form.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** When a sibling expires, as text; `undefined` if it stays. */
export function expiryText({ expiresAtMs }: Sibling): string | undefined {
  return expiresAtMs === undefined ? undefined : new Date(expiresAtMs).toISOString();
}
