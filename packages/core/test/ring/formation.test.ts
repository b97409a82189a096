import { describe, expect, it } from "vitest";
import type { NodeId, PeerAddress } from "../../src/ids.ts";
import type { Member } from "../../src/ring/cluster-document.ts";
import { documentDigest, settingsDigest } from "../../src/ring/document-codec.ts";
import {
  type Announcement,
  Formation,
  type FormationInput,
  type FormationState,
} from "../../src/ring/formation.ts";
import { documentOf, membersOf, modestSettings, settingsOf } from "./members.ts";

const settings = modestSettings(6, 3);
const [first, second, third] = membersOf(3) as [Member, Member, Member];
const bootstrap = [first.address, second.address, third.address];

function formationOf(self: Member, changes: Partial<FormationInput> = {}): Formation {
  return new Formation({ self, settings, bootstrap, mayRejoin: false, ...changes });
}

function exchange(...nodes: readonly Formation[]): void {
  for (const from of nodes) {
    for (const to of nodes) if (to !== from) to.receive(from.announcement());
  }
}

/** What a node announces that holds the document of `members`. */
function formed(member: Member, members: readonly Member[]): Announcement {
  return {
    member,
    settingsDigest: settingsDigest(settings),
    documentDigest: documentDigest(documentOf(settings, members)),
    isFormed: true,
    heard: members.map(({ id, nonce }) => ({ id, nonce })),
    remark: "",
  };
}

function reason(outcome: FormationState): string {
  return outcome.state === "conflict" ? outcome.reason : outcome.state;
}

it.each([
  ["only itself", [first.address]],
  ["nobody", []],
])("agrees at once when its bootstrap names %s", (_, addresses) => {
  const outcome = formationOf(first, { bootstrap: addresses }).outcome();
  expect(outcome).toEqual({ state: "agreed", document: documentOf(settings, [first]) });
});

it("agrees when every peer has proposed the same document, and not before", () => {
  const [a, b, c] = [formationOf(first), formationOf(second), formationOf(third)];
  expect(a.outcome()).toEqual({
    state: "waiting",
    missing: [
      "no answer from bootstrap peer n02.example:7101",
      "no answer from bootstrap peer n03.example:7101",
    ],
  });
  exchange(a, b);
  a.receive(c.announcement());
  expect(a.outcome()).toEqual({
    state: "waiting",
    missing: [
      "n02 at n02.example:7101 has not agreed to the same cluster yet",
      "n03 at n03.example:7101 has not agreed to the same cluster yet",
    ],
  });
  exchange(a, b, c);
  exchange(a, b, c);
  const document = documentOf(settings, [first, second, third]);
  for (const node of [a, b, c]) expect(node.outcome()).toEqual({ state: "agreed", document });
});

it("takes a peer that runs with the same document for one that agrees", () => {
  const node = formationOf(third);
  node.receive(formed(first, [first, second, third]));
  node.receive(formed(second, [first, second, third]));
  expect(node.outcome().state).toBe("agreed");
});

it("is a member where a peer holds a later document that names its directory", () => {
  const members = [first, second, third];
  const later = { ...settings, buckets: settings.buckets.slice(1) };
  const node = formationOf(third);
  node.receive({
    ...formed(first, members),
    settingsDigest: settingsDigest(later),
    documentDigest: documentDigest({ ...documentOf(later, members), epoch: 2 }),
  });
  expect(node.outcome()).toEqual({ state: "member", at: first.address });
});

it("names those who announce themselves from addresses it does not wait for", () => {
  const node = formationOf(first, { bootstrap: ["localhost:7101" as PeerAddress] });
  node.receive(formationOf(second).announcement());
  expect(node.outcome()).toEqual({
    state: "waiting",
    missing: [
      "no answer from bootstrap peer localhost:7101",
      "n02 at n02.example:7101 announces itself, but is not among --bootstrap",
    ],
  });
});

it("never agrees with a peer that waits for more nodes", () => {
  const few = formationOf(first, { bootstrap: [second.address] });
  const many = formationOf(second);
  exchange(few, many);
  exchange(few, many);
  expect(few.outcome().state).toBe("waiting");
  expect(many.outcome().state).toBe("waiting");
});

it("does not agree with a peer that proposed another directory of a third", () => {
  const replaced = { ...third, nonce: "f".repeat(32) };
  const node = formationOf(first);
  const peer = formationOf(second);
  peer.receive(node.announcement());
  peer.receive(formationOf(replaced).announcement());
  const old = formationOf(third);
  exchange(node, old);
  old.receive(peer.announcement());
  node.receive(peer.announcement());
  node.receive(old.announcement());
  expect(node.outcome()).toEqual({
    state: "waiting",
    missing: ["n02 at n02.example:7101 has not agreed to the same cluster yet"],
  });
});

describe("offers itself to a cluster that has no such member", () => {
  const cluster = [first, second];
  const document = documentOf(settings, cluster);
  const missing = (node: Formation): string => {
    const outcome = node.outcome();
    return outcome.state === "offering" ? outcome.missing.join("; ") : outcome.state;
  };

  it("once it has read its document, and tells all of its members", () => {
    const node = formationOf(third, { bootstrap: [first.address] });
    node.receive(formed(first, cluster));
    expect(node.outcome()).toMatchObject({ state: "offering", unread: first.address });
    expect(node.announcement()).toMatchObject({ documentDigest: "", isFormed: false });
    node.consent(document);
    expect(node.outcome()).toMatchObject({ unread: undefined, clusterId: document.clusterId });
    expect(missing(node)).toBe(
      `n03 offers itself to cluster ${document.clusterId}: accept with coterie plan join n03`,
    );
    expect(node.announcement().documentDigest).toBe(documentDigest(document));
    expect(node.audience()).toEqual([first.address, second.address]);
    node.receive({ ...formed(second, cluster), remark: "not now" });
    expect(missing(node)).toContain("n02 at n02.example:7101 says: not now");
  });

  it("whatever that is set to, and whatever others say that have not formed either", () => {
    const node = formationOf(third, { settings: settingsOf(7, 1) });
    node.receive(formationOf(second).announcement());
    expect(node.outcome().state).toBe("conflict");
    node.receive(formed(first, [first]));
    node.consent(documentOf(settings, [first]));
    expect(node.outcome().state).toBe("offering");
  });

  it("and forms none with others", () => {
    const node = formationOf(third, { bootstrap: [first.address] });
    node.receive(formed(first, [first]));
    node.receive(formed(first, [first]));
    expect(node.announcement().documentDigest).toBe("");
    expect(node.outcome().state).toBe("offering");
  });

  it("until that has made it a member", () => {
    const node = formationOf(third, { bootstrap: [first.address] });
    node.receive(formed(first, cluster));
    node.consent(document);
    node.receive(formed(second, cluster));
    node.receive(formed(second, [first, second, third]));
    expect(node.outcome()).toEqual({ state: "member", at: second.address });
  });

  it("but not to two of them", () => {
    const node = formationOf(third);
    node.receive(formed(first, [first]));
    node.consent(documentOf(settings, [first]));
    node.receive(formed(second, [second]));
    node.consent(documentOf(settings, [second]));
    expect(reason(node.outcome())).toMatch(/^--bootstrap names nodes of cluster \w+ and of \w+$/u);
  });
});

describe("conflicts with", () => {
  it("a peer of other settings, and names it and its digest", () => {
    const other = settingsOf(7, 1);
    const node = formationOf(first);
    node.receive(formationOf(second, { settings: other }).announcement());
    expect(reason(node.outcome())).toBe(
      "n02 at n02.example:7101 has other cluster settings (partitions, n_max or buckets): its " +
        `digest is ${settingsDigest(other)}, ours ${settingsDigest(settings)}`,
    );
  });

  it("a peer of its own id", () => {
    const node = formationOf(first);
    node.receive(formationOf({ ...second, id: first.id }).announcement());
    expect(reason(node.outcome())).toBe("the node at n02.example:7101 has this node's id, n01");
  });

  it("two peers of one id", () => {
    const node = formationOf(first);
    node.receive(formationOf(second).announcement());
    node.receive(formationOf({ ...third, id: second.id }).announcement());
    expect(reason(node.outcome())).toBe("two nodes have the id n02");
  });

  it("a node under its own address, until that is itself again", () => {
    const node = formationOf(first, { bootstrap: [] });
    node.receive(formationOf({ ...second, address: first.address }).announcement());
    expect(reason(node.outcome())).toBe(
      "n02 announces itself under this node's address n01.example:7101",
    );
    node.receive(formationOf(first).announcement());
    expect(node.outcome().state).toBe("agreed");
  });

  it("a cluster that knew it with another directory", () => {
    const node = formationOf({ ...third, nonce: "f".repeat(32) });
    node.receive(formed(first, [first, second, third]));
    expect(reason(node.outcome())).toContain("a cluster whose n03 has another directory");
  });

  it("settings that its members cannot serve", () => {
    const node = formationOf(first, { settings: settingsOf(6), bootstrap: [] });
    expect(reason(node.outcome())).toContain("bucket default wants 3 copies on distinct nodes");
  });

  it.each<[string, Partial<Member>]>([
    ["directory", { nonce: "f".repeat(32) }],
    ["zone", { zone: "zone-b" }],
    ["host", { host: "elsewhere" }],
    ["weight", { weight: 2 }],
    ["http address", { http: "" }],
    ["gRPC address", { grpc: "" }],
    ["RESP address", { resp: "" }],
    ["id", { id: "n09" as NodeId }],
  ])("a peer whose %s is another than when this node proposed", (_, changes) => {
    const node = formationOf(first, { bootstrap: [second.address] });
    node.receive(formationOf(second).announcement());
    node.receive(formationOf({ ...second, ...changes }).announcement());
    expect(reason(node.outcome())).toMatch(/^n0\d at n02\.example:7101 has another directory/u);
  });
});

it("keeps its proposal when the replaced directory of a peer is heard of late", () => {
  const replaced = { ...third, nonce: "f".repeat(32) };
  const late = formationOf(third);
  const a = formationOf(first);
  const b = formationOf(second);
  // Before it was replaced, n03 had heard everybody, and so had n02.
  late.receive(a.announcement());
  late.receive(b.announcement());
  b.receive(a.announcement());
  b.receive(late.announcement());
  // n01 hears of the new directory first, and only then what n02 and the old n03 had proposed.
  a.receive(b.announcement());
  a.receive(formationOf(replaced).announcement());
  const proposed = a.announcement().documentDigest;
  a.receive(late.announcement());
  expect(a.announcement().documentDigest).toBe(proposed);
  expect(a.outcome().state).toBe("conflict");
});
