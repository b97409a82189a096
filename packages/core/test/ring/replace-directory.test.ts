import { describe, expect, it } from "vitest";
import type { Member } from "../../src/ring/cluster-document.ts";
import {
  contextKeyOf,
  decodeDocument,
  documentDigest,
  encodeDocument,
  placementTag,
  settingsDigest,
} from "../../src/ring/document-codec.ts";
import { type Announcement, Formation } from "../../src/ring/formation.ts";
import { replaceDirectory, replacedDirectories } from "../../src/ring/replace-directory.ts";
import { documentOf, membersOf, modestSettings } from "./members.ts";

const settings = modestSettings(6, 3);
const members = membersOf(3);
const [first, second] = members as [Member, Member, Member];
const document = documentOf(settings, members);
const [empty, other] = ["e".repeat(32), "f".repeat(32)];
const change = { id: second.id, lost: second.nonce, empty };
const replaced = replaceDirectory(document, change);

describe("a version with another directory", () => {
  it("has the next epoch, the new nonce, and the one that the member came with", () => {
    expect(replaced.epoch).toBe(2);
    expect(replaced.members[1]).toEqual({ ...second, nonce: empty, firstNonce: second.nonce });
    expect(replaced.members[0]).toBe(first);
    const twice = replaceDirectory(replaced, { id: second.id, lost: empty, empty: other });
    expect(twice.members[1]).toEqual({ ...second, nonce: other, firstNonce: second.nonce });
  });

  it("is not made again, nor of a directory that the member has no more", () => {
    expect(replaceDirectory(replaced, change)).toBe(replaced);
    expect(replaceDirectory(replaced, { ...change, empty: other })).toBe(replaced);
    expect(replaceDirectory(document, { ...change, id: first.id })).toBe(document);
  });

  it("keeps the owners' tag and the key of contexts, and has another digest", () => {
    expect(placementTag(replaced)).toBe(placementTag(document));
    expect(contextKeyOf(replaced)).toEqual(contextKeyOf(document));
    expect(documentDigest(replaced)).not.toBe(documentDigest(document));
  });

  it("is read as it was written, and not with a first nonce that is the one it has", () => {
    expect(decodeDocument(encodeDocument(replaced))).toEqual({ ok: true, document: replaced });
    const text = new TextDecoder().decode(encodeDocument(document));
    const redundant = `"nonce":"${first.nonce}","firstNonce":"${first.nonce}"`;
    const written = text.replace(`"nonce":"${first.nonce}"`, redundant);
    expect(decodeDocument(new TextEncoder().encode(written))).toMatchObject({ ok: false });
  });

  it("says whose directory it is that was replaced", () => {
    expect(replacedDirectories(document, replaced).map(({ id }) => id)).toEqual([second.id]);
    expect(replacedDirectories(replaced, replaced)).toEqual([]);
  });
});

describe("a node that lost its directory", () => {
  const self = { ...second, nonce: empty };
  const bootstrap = members.map(({ address }) => address);

  function formed(version: typeof document, remark = ""): Announcement {
    return {
      member: first,
      settingsDigest: settingsDigest(settings),
      documentDigest: documentDigest(version),
      isFormed: true,
      heard: version.members.map(({ id, nonce }) => ({ id, nonce })),
      remark,
    };
  }

  it("reads the others' document, says so, and takes the version that names it", () => {
    const node = new Formation({ self, settings, bootstrap, mayRejoin: true });
    node.receive(formed(document));
    expect(node.outcome()).toMatchObject({ state: "rejoining", unread: first.address });
    expect(node.announcement().documentDigest).toBe("");
    node.consent(document);
    expect(node.announcement().documentDigest).toBe(documentDigest(document));
    node.receive(formed(document, "wait"));
    expect(node.outcome()).toEqual({
      state: "rejoining",
      unread: undefined,
      missing: ["n02 has lost its directory: n01 at n01.example:7101 says: wait"],
    });
    node.receive(formed(replaced));
    expect(node.outcome()).toEqual({ state: "member", at: first.address });
  });

  it("is told why not, where it may not rejoin", () => {
    const node = new Formation({ self, settings, bootstrap, mayRejoin: false });
    node.receive(formed(document));
    expect(node.outcome()).toMatchObject({ state: "conflict" });
  });
});
