import type { PeerAddress } from "../../src/ids.ts";
import type { ClusterDocument, ClusterSettings, Member } from "../../src/ring/cluster-document.ts";
import { documentDigest, settingsDigest } from "../../src/ring/document-codec.ts";
import { type Announcement, Formation } from "../../src/ring/formation.ts";
import { memberOf, modestSettings } from "./members.ts";

interface FormingNode {
  member: Member;
  isUp: boolean;
  /** Counts starts: what was sent to an earlier process never reaches a later one. */
  lifetime: number;
  formation: Formation;
  /** Stored durably. */
  document: ClusterDocument | undefined;
}

interface Letter {
  readonly to: number;
  readonly lifetime: number;
  readonly announcement: Announcement;
}

/** Nodes that form a cluster over a network that loses, repeats and reorders what they say. */
export class FormingCluster {
  readonly nodes: readonly FormingNode[];
  readonly #settings: ClusterSettings;
  readonly #bootstrap: readonly PeerAddress[];
  readonly #namesItself: boolean;
  #letters: Letter[] = [];
  #nonces = 0;

  constructor(count: number, namesItself: boolean) {
    this.#settings = modestSettings(1, 3);
    this.#namesItself = namesItself;
    const members = Array.from({ length: count }, (_, at) => memberOf(at, this.#directory()));
    this.#bootstrap = members.map(({ address }) => address);
    this.nodes = members.map((member) => {
      const formation = this.#formationOf(member);
      return { member, isUp: false, lifetime: 0, formation, document: undefined };
    });
  }

  /** Starts a node, or restarts it with what it had stored. */
  start(at: number): void {
    const node = this.#node(at);
    node.isUp = true;
    node.lifetime += 1;
    node.formation = this.#formationOf(node.member);
  }

  /** Starts a node on an empty directory. */
  wipe(at: number): void {
    const node = this.#node(at);
    node.member = { ...node.member, ...this.#directory() };
    node.document = undefined;
    this.start(at);
  }

  send(from: number, to: number): void {
    const { isUp, lifetime } = this.#node(to);
    if (!this.#node(from).isUp || !isUp || this.#node(from) === this.#node(to)) return;
    this.#letters.push({ to, lifetime, announcement: this.#announcement(from) });
  }

  /** Two nodes hear each other at once, one after the other. */
  talk(from: number, to: number): void {
    this.send(from, to);
    this.deliver(this.#letters.length - 1, true);
    this.send(to, from);
    this.deliver(this.#letters.length - 1, true);
  }

  /** Delivers any letter on its way, however old; `isLast` says whether it may come again. */
  deliver(which: number, isLast: boolean): void {
    if (which < 0 || this.#letters.length === 0) return;
    const at = which % this.#letters.length;
    const { to, lifetime, announcement } = this.#letters[at] as Letter;
    if (isLast) this.#letters.splice(at, 1);
    const node = this.#node(to);
    if (node.lifetime === lifetime) node.formation.receive(announcement);
  }

  lose(which: number): void {
    if (this.#letters.length > 0) this.#letters.splice(which % this.#letters.length, 1);
  }

  /** Lets a node act on what it has heard: store what is agreed, or start again on a conflict. */
  act(at: number): void {
    const node = this.#node(at);
    if (!node.isUp || node.document !== undefined) return;
    const outcome = node.formation.outcome();
    if (outcome.state === "agreed") node.document = outcome.document;
    if (outcome.state === "member") {
      node.document = this.nodes.find(({ member }) => member.address === outcome.at)?.document;
    }
    if (outcome.state === "conflict") this.start(at);
  }

  /** Everybody is up and every letter arrives, in order. */
  heal(rounds: number): void {
    this.#letters = [];
    const all = this.nodes.map((_, at) => at);
    for (const at of all) if (!this.#node(at).isUp) this.start(at);
    for (let round = 0; round < rounds; round += 1) {
      for (const from of all) for (const to of all) this.send(from, to);
      while (this.#letters.length > 0) this.deliver(0, true);
      for (const at of all) this.act(at);
    }
  }

  /** The digests of all documents that are stored now. */
  digests(): readonly string[] {
    return this.nodes.flatMap(({ document }) =>
      document === undefined ? [] : documentDigest(document),
    );
  }

  #announcement(at: number): Announcement {
    const { document, formation, member } = this.#node(at);
    if (document === undefined) return formation.announcement();
    return {
      member,
      settingsDigest: settingsDigest(document.settings),
      documentDigest: documentDigest(document),
      isFormed: true,
      heard: document.members.map(({ id, nonce }) => ({ id, nonce })),
      remark: "",
    };
  }

  #formationOf(self: Member): Formation {
    const bootstrap = this.#bootstrap.filter(
      (address) => this.#namesItself || address !== self.address,
    );
    return new Formation({ self, settings: this.#settings, bootstrap, mayRejoin: false });
  }

  #directory(): Pick<Member, "nonce"> {
    this.#nonces += 1;
    return { nonce: this.#nonces.toString(16).padStart(32, "0") };
  }

  #node(at: number): FormingNode {
    return this.nodes[at % this.nodes.length] as FormingNode;
  }
}
