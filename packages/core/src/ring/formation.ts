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
  #consent: { readonly epoch: number; readonly digest: string } | undefined;
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
    } else if (this.#expected.includes(address)) {
      this.#heard.set(address, announcement);
      this.#propose();
    } else if (this.#strangers.size < strangersMax) {
      this.#strangers.set(address, id);
    }
  }

  /** This node would go by that document, if its directory were the one that is a member. */
  consent(document: ClusterDocument): void {
    const { epoch } = document;
    const digest = documentDigest(document);
    this.#consented.add(digest);
    if (epoch >= (this.#consent?.epoch ?? 0)) this.#consent = { epoch, digest };
  }

  /** What to tell every peer, now. */
  announcement(): Announcement {
    return {
      member: this.#self,
      settingsDigest: this.#settingsDigest,
      documentDigest: this.#consent?.digest ?? this.#proposal?.digest ?? "",
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
    const missing = this.#missing();
    if (missing.length > 0 || this.#proposal === undefined) return { state: "waiting", missing };
    return { state: "agreed", document: this.#proposal.document };
  }

  #members(): readonly Member[] {
    return [this.#self, ...[...this.#heard.values()].map(({ member }) => member)];
  }

  /** Once every peer was heard, and all share our settings, the document is determined. */
  #propose(): void {
    if (this.#proposal !== undefined || this.#heard.size < this.#expected.length) return;
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
    if (peer.settingsDigest !== this.#settingsDigest) {
      return (
        `${id} at ${address} has other cluster settings (partitions, n_max or buckets): its ` +
        `digest is ${peer.settingsDigest}, ours ${this.#settingsDigest}`
      );
    }
    if (peer.documentDigest === this.#proposal?.digest) return undefined;
    if (peer.isFormed) {
      const known = peer.heard.find((member) => member.id === this.#self.id);
      if (known === undefined) {
        return `${id} at ${address} belongs to a cluster that has no member ${this.#self.id}`;
      }
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
