import type { NodeId, PeerAddress } from "../ids.ts";
import type { ClusterDocument, ClusterSettings, Member } from "./cluster-document.ts";
import { documentDigest, settingsDigest } from "./document-codec.ts";
import { formDocument } from "./form-document.ts";

/** What a node says of itself, and of what it has heard, while a cluster forms and ever after. */
export interface Announcement {
  readonly member: Member;
  /** Digest of the cluster settings, as 32 hex digits. */
  readonly settingsDigest: string;
  /** Digest of the document the sender holds or would agree to; empty while it would to none. */
  readonly documentDigest: string;
  /** True if the sender holds that document durably. */
  readonly isFormed: boolean;
  /** The members the sender has heard from, itself included, sorted by id. */
  readonly heard: readonly HeardMember[];
  /** Why the one that is told has not been given its member's place yet; empty if it was. */
  readonly remark: string;
}

export interface HeardMember {
  readonly id: NodeId;
  readonly nonce: string;
}

export interface FormationInput {
  readonly self: Member;
  readonly settings: ClusterSettings;
  /** Peer addresses of all members; this node's own may be among them. */
  readonly bootstrap: readonly PeerAddress[];
  /** Whether this directory may take the place of one that this node has lost. */
  readonly mayRejoin: boolean;
}

export type FormationState =
  | { readonly state: "waiting"; readonly missing: readonly string[] }
  | { readonly state: "agreed"; readonly document: ClusterDocument }
  /** A peer holds a document, perhaps a later version, in which this very directory is a member. */
  | { readonly state: "member"; readonly at: PeerAddress }
  /** Peers hold a document in which this node is a member with another directory. */
  | {
      readonly state: "rejoining";
      /** Where there is a version of it that was not {@link Formation.consent consented} to. */
      readonly unread: PeerAddress | undefined;
      readonly missing: readonly string[];
    }
  /** Peers hold a document in which this node is no member: it waits to be made one. */
  | {
      readonly state: "offering";
      /** Where there is a version of it that was not {@link Formation.consent consented} to. */
      readonly unread: PeerAddress | undefined;
      /** Of the cluster; `undefined` before its document was read. */
      readonly clusterId: string | undefined;
      readonly missing: readonly string[];
    }
  | { readonly state: "conflict"; readonly reason: string };

interface Proposal {
  readonly document: ClusterDocument;
  readonly digest: string;
}

/** Strangers remembered for the message that names them. */
const strangersMax = 16;

/**
 * How nodes with empty directories agree on the first cluster document without a leader:
 *
 *     waiting: not all heard ──all bootstrap peers heard──▶ waiting: proposes a digest
 *     waiting: proposes ──every peer proposes or holds the same digest──▶ agreed
 *     any ──a peer formed with this very directory, and its document is another──▶ member
 *     any ──a peer formed with another directory of this node──▶ rejoining ──the peers have put
 *           this directory in its place──▶ member
 *     any ──a peer formed, and has no member of this node's id──▶ offering ──the peers have made
 *           this directory a member──▶ member
 *     any ──a peer's settings, id or document cannot go with ours──▶ conflict
 *
 * The document is a pure function of the members' announcements, so equal digests mean equal
 * documents. A node agrees only after every other has *proposed* that digest; each proposer knows
 * all nonces by then, so a member that restarts meanwhile, with its nonce, proposes the same
 * again, and one that lost its directory is recognised by its new nonce. Announcements are facts:
 * they may be lost, repeated and reordered.
 *
 * A proposal is made once and kept. If it followed what is heard, a node could propose {a, b, c′}
 * after c lost its directory, then hear an announcement of the old c late, go back to {a, b, c} and
 * agree to it by what b had proposed earlier, while b and c′ agree to the other.
 *
 * A node whose directory is named in a document that a peer holds had proposed the first version of
 * that document, and everybody had agreed to it: whatever it proposes now nobody can agree to, and
 * the document may have changed since. So it takes that document as it is.
 *
 * A node whose directory was lost finds that others have a document with its old one. It reads that
 * document, says by its digest that it would go by it, and waits for the others to agree on a
 * version with its new directory (docs/internals/agreement.md). It cannot form a cluster meanwhile:
 * those others agree to none.
 *
 * A node that a formed cluster does not know offers itself in the same way, to all members that the
 * document names, until an operator has made it one of them or it is stopped. What the cluster is
 * set to is the cluster's: settings are not compared then, and neither is what others say that have
 * not formed; they may be newcomers as well.
 */
export class Formation {
  readonly #self: Member;
  readonly #settings: ClusterSettings;
  readonly #settingsDigest: string;
  readonly #expected: readonly PeerAddress[];
  readonly #heard = new Map<PeerAddress, Announcement>();
  readonly #strangers = new Map<PeerAddress, NodeId>();
  readonly #mayRejoin: boolean;
  /** Digests of the documents that this node would go by, if it were a member. */
  readonly #consented = new Set<string>();
  #consent: ClusterDocument | undefined;
  #consentDigest: string | undefined;
  /** Two bootstrap peers belong to different clusters. */
  #schism: string | undefined;
  #proposal: Proposal | undefined;
  /** Why what was heard makes no document. */
  #problem: string | undefined;
  /** Who else announces itself under this node's address. */
  #impostor: NodeId | undefined;

  constructor({ self, settings, bootstrap, mayRejoin }: FormationInput) {
    this.#self = self;
    this.#mayRejoin = mayRejoin;
    this.#settings = settings;
    this.#settingsDigest = settingsDigest(settings);
    this.#expected = [...new Set(bootstrap)].filter((address) => address !== self.address);
    this.#propose();
  }

  /** Takes note of what a peer announced. */
  receive(announcement: Announcement): void {
    const { id, address, nonce } = announcement.member;
    if (address === this.#self.address) {
      this.#impostor = nonce === this.#self.nonce ? undefined : id;
    } else if (this.#expected.includes(address) || this.#isOfOurs(address)) {
      this.#heard.set(address, announcement);
      this.#propose();
    } else if (this.#strangers.size < strangersMax) {
      this.#strangers.set(address, id);
    }
  }

  /** This node would go by that document, if its directory were the one that is a member. */
  consent(document: ClusterDocument): void {
    const { clusterId, epoch } = document;
    const known = this.#consent ?? document;
    if (clusterId !== known.clusterId) {
      this.#schism = `--bootstrap names nodes of cluster ${known.clusterId} and of ${clusterId}`;
      return;
    }
    const digest = documentDigest(document);
    this.#consented.add(digest);
    if (epoch < known.epoch) return;
    this.#consent = document;
    this.#consentDigest = digest;
  }

  /** The peer at `address` does not answer any more: what it has said is of the past. */
  forget(address: PeerAddress): void {
    this.#heard.delete(address);
  }

  /** Whom to announce this node to. */
  audience(): readonly PeerAddress[] {
    const members = this.#consent?.members ?? [];
    const addresses = new Set([...this.#expected, ...members.map(({ address }) => address)]);
    addresses.delete(this.#self.address);
    return [...addresses];
  }

  /** What to tell every peer, now. */
  announcement(): Announcement {
    return {
      member: this.#self,
      settingsDigest: this.#settingsDigest,
      documentDigest: this.#consentDigest ?? this.#proposal?.digest ?? "",
      isFormed: false,
      heard: this.#members()
        .map(({ id, nonce }) => ({ id, nonce }))
        .toSorted((left, right) => (left.id < right.id ? -1 : 1)),
      remark: "",
    };
  }

  outcome(): FormationState {
    const conflict = this.#conflict();
    if (conflict !== undefined) return { state: "conflict", reason: conflict };
    const at = this.#knownBy();
    if (at !== undefined) return { state: "member", at };
    const rejoining = this.#rejoining();
    if (rejoining !== undefined) return rejoining;
    const offering = this.#offering();
    if (offering !== undefined) return offering;
    const missing = this.#missing();
    if (missing.length > 0 || this.#proposal === undefined) return { state: "waiting", missing };
    return { state: "agreed", document: this.#proposal.document };
  }

  #members(): readonly Member[] {
    return [this.#self, ...[...this.#heard.values()].map(({ member }) => member)];
  }

  /** Once every peer was heard, and all share our settings, the document is determined. */
  #propose(): void {
    if (this.#proposal !== undefined || this.#isNewcomer()) return;
    if (this.#heard.size < this.#expected.length) return;
    const peers = [...this.#heard.values()];
    if (peers.some((peer) => peer.settingsDigest !== this.#settingsDigest)) return;
    const formed = formDocument(this.#settings, this.#members());
    this.#problem = formed.ok ? undefined : formed.message;
    if (!formed.ok) return;
    this.#proposal = { document: formed.document, digest: documentDigest(formed.document) };
  }

  #conflict(): string | undefined {
    if (this.#impostor !== undefined) {
      const { address } = this.#self;
      return `${this.#impostor} announces itself under this node's address ${address}`;
    }
    if (this.#schism !== undefined) return this.#schism;
    for (const peer of this.#heard.values()) {
      const conflict = this.#conflictWith(peer);
      if (conflict !== undefined) return conflict;
    }
    return this.#problem;
  }

  #conflictWith(peer: Announcement): string | undefined {
    const { id, address } = peer.member;
    if (id === this.#self.id) return `the node at ${address} has this node's id, ${id}`;
    // Its document may have changed since: what it formed with is what this node had proposed.
    if (this.#isKnownBy(peer) || this.#mayReplaceAt(peer)) return undefined;
    const known = peer.heard.find((member) => member.id === this.#self.id);
    if (this.#isNewcomer() && !(peer.isFormed && known !== undefined)) return undefined;
    if (peer.settingsDigest !== this.#settingsDigest) {
      return (
        `${id} at ${address} has other cluster settings (partitions, n_max or buckets): its ` +
        `digest is ${peer.settingsDigest}, ours ${this.#settingsDigest}`
      );
    }
    if (peer.documentDigest === this.#proposal?.digest) return undefined;
    if (peer.isFormed) {
      return (
        `${id} at ${address} belongs to a cluster whose ${this.#self.id} has another ` +
        "directory: this one is empty, or belongs to another cluster"
      );
    }
    if (this.#proposal === undefined) return undefined;
    if (!isAmong(this.#proposal.document.members, peer.member)) {
      return (
        `${id} at ${address} has another directory or other labels than when the cluster began ` +
        "to form: restart this node to take them in"
      );
    }
    return undefined;
  }

  /** Where there is a document that names this directory, if it is not the one proposed here. */
  #knownBy(): PeerAddress | undefined {
    for (const [address, peer] of this.#heard) {
      const isSame = peer.documentDigest === this.#proposal?.digest;
      if (this.#isKnownBy(peer) && !isSame) return address;
    }
    return undefined;
  }

  #isKnownBy({ isFormed, heard }: Announcement): boolean {
    const { id, nonce } = this.#self;
    return isFormed && heard.some((member) => member.id === id && member.nonce === nonce);
  }

  #rejoining(): FormationState | undefined {
    const peers = [...this.#heard].filter(([, peer]) => this.#mayReplaceAt(peer));
    if (peers.length === 0) return undefined;
    const [unread] =
      peers.find(([, { documentDigest: digest }]) => !this.#consented.has(digest)) ?? [];
    const missing = peers.map(([address, { member, remark }]) => {
      const reason = remark === "" ? "has not agreed to take it back yet" : remark;
      return `${this.#self.id} has lost its directory: ${member.id} at ${address} says: ${reason}`;
    });
    return { state: "rejoining", unread, missing };
  }

  #offering(): FormationState | undefined {
    if (!this.#isNewcomer()) return undefined;
    const peers = [...this.#heard].filter(([, peer]) => this.#isStrangeTo(peer));
    const [unread] =
      peers.find(([, { documentDigest: digest }]) => !this.#consented.has(digest)) ?? [];
    const { id } = this.#self;
    const clusterId = this.#consent?.clusterId;
    if (clusterId === undefined) {
      const missing = [`${id} has to read the document of the cluster that it was pointed to`];
      return { state: "offering", unread, clusterId, missing };
    }
    const accept = `coterie plan join ${id}`;
    const offer = `${id} offers itself to cluster ${clusterId}: accept with ${accept}`;
    const remarks = peers
      .filter(([, { remark }]) => remark !== "")
      .map(([address, { member, remark }]) => `${member.id} at ${address} says: ${remark}`);
    return { state: "offering", unread, clusterId, missing: [offer, ...remarks] };
  }

  /** True from when a peer was heard that belongs to a cluster without this node. */
  #isNewcomer(): boolean {
    return [...this.#heard.values()].some((peer) => this.#isStrangeTo(peer));
  }

  /** Whether a formed peer's cluster has no member of this node's id. */
  #isStrangeTo({ isFormed, heard }: Announcement): boolean {
    return isFormed && !heard.some(({ id }) => id === this.#self.id);
  }

  /** Whether it belongs to the cluster that this node offers itself to. */
  #isOfOurs(address: PeerAddress): boolean {
    if (!this.#isNewcomer()) return false;
    return this.#consent?.members.some((member) => member.address === address) ?? false;
  }

  /** Whether this directory might take the place of the one that a formed peer knows. */
  #mayReplaceAt(peer: Announcement): boolean {
    const { id } = this.#self;
    const isKnown = peer.isFormed && peer.heard.some((member) => member.id === id);
    return this.#mayRejoin && isKnown && !this.#isKnownBy(peer);
  }

  /** What agreement still waits for, in words. */
  #missing(): readonly string[] {
    const missing: string[] = [];
    for (const address of this.#expected) {
      const peer = this.#heard.get(address);
      if (peer === undefined) missing.push(`no answer from bootstrap peer ${address}`);
      else if (peer.documentDigest !== this.#proposal?.digest) {
        missing.push(`${peer.member.id} at ${address} has not agreed to the same cluster yet`);
      }
    }
    if (missing.length === 0) return missing;
    for (const [address, id] of this.#strangers) {
      missing.push(`${id} at ${address} announces itself, but is not among --bootstrap`);
    }
    return missing;
  }
}

function isAmong(members: readonly Member[], member: Member): boolean {
  return members.some(
    ({ id, address, http, grpc, resp, host, zone, weight, nonce }) =>
      id === member.id &&
      address === member.address &&
      http === member.http &&
      grpc === member.grpc &&
      resp === member.resp &&
      host === member.host &&
      zone === member.zone &&
      weight === member.weight &&
      nonce === member.nonce,
  );
}
