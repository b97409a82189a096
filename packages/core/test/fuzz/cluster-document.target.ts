import { deepStrictEqual, equal } from "node:assert/strict";
import { Ring, contextKeyOf, decodeDocument, encodeDocument, utf8 } from "../../src/index.ts";
import { documentOf, membersOf, settingsOf } from "../ring/members.ts";

/** Documents come from disks and peers: whatever is accepted makes a ring. */
export const seeds: readonly Uint8Array[] = [
  encodeDocument(documentOf(settingsOf(8), membersOf(3))),
  encodeDocument(documentOf(settingsOf(4, 1), membersOf(1))),
  utf8("{}"),
];

export const tokens: readonly string[] = ['"', ":", ",", "[", "]", "{", "}", "null", "1e9", "-0"];

export function run(input: Uint8Array): void {
  const decoded = decodeDocument(input);
  if (!decoded.ok) {
    equal(decoded.reason.length > 0, true);
    return;
  }
  deepStrictEqual(encodeDocument(decoded.document), input);
  equal(contextKeyOf(decoded.document).length, 32);
  const ring = new Ring(decoded.document);
  equal(ring.owners(0).length > 0, true);
}
