import type { ClusterDescription } from "@coterie/protocol";
import type { Cancel, Clock } from "./clock.ts";
import { layoutMsMax, layoutMsMin } from "./engine-options.ts";
import type { NodeLink } from "./node-link.ts";
import type { NodeLinks } from "./node-links.ts";

/** How long a node may take to describe its cluster before another one is asked. */
const answerMsMax = 2000;

/**
 * Keeps the layout fresh: asks a connected node for it when a connection opens or breaks, when a
 * node says that it does not serve, and every half minute while the client is used. Nobody waits
 * for the answer: without a layout requests go to any node, which forwards them.
 */
export class LayoutWatch {
  readonly #clock: Clock;
  readonly #links: NodeLinks;
  readonly #adopt: (layout: ClusterDescription, source: NodeLink) => void;
  #askedMs = Number.NEGATIVE_INFINITY;
  #isPlanned = false;
  #turn = 0;
  /** Of the question in flight: an answer to an earlier one comes too late. */
  #question = 0;
  #isAnswered = true;
  #cancel: Cancel = () => {};

  constructor(
    clock: Clock,
    links: NodeLinks,
    adopt: (layout: ClusterDescription, source: NodeLink) => void,
  ) {
    this.#clock = clock;
    this.#links = links;
    this.#adopt = adopt;
  }

  /** The client is used. */
  watch(nowMs: number): void {
    if (nowMs - this.#askedMs >= layoutMsMax) this.refresh(nowMs);
  }

  /** Asks soon: at once, unless that was done a moment ago. */
  refresh(nowMs: number): void {
    if (this.#isPlanned) return;
    const waitsMs = this.#isAnswered ? layoutMsMin : answerMsMax;
    const dueMs = this.#askedMs + waitsMs;
    if (nowMs >= dueMs) {
      this.#ask(nowMs);
      return;
    }
    this.#isPlanned = true;
    this.#cancel = this.#clock.at(dueMs, () => {
      this.#isPlanned = false;
      this.#ask(this.#clock.monotonicMs());
    });
  }

  close(): void {
    this.#cancel();
    this.#isPlanned = true;
  }

  /** If no node is connected now, the next one that is will be asked. */
  #ask(nowMs: number): void {
    const open = this.#links.all.filter((link) => link.isOpen && link.health(nowMs) === "good");
    this.#turn += 1;
    const link = open[this.#turn % Math.max(1, open.length)];
    if (link === undefined) return;
    this.#askedMs = nowMs;
    this.#isAnswered = false;
    this.#question += 1;
    const question = this.#question;
    link.describe((layout) => {
      if (question !== this.#question) return;
      this.#isAnswered = true;
      if (layout !== undefined) this.#adopt(layout, link);
    });
  }
}
