import { type PeerAddress, invariant } from "@coterie/core";
import type { Cancel } from "@coterie/ports";
import type { PeerStream, PeerStreamInput, PeerTransport } from "./transport.ts";

/** A way to a peer that is cut: for what is sent there, for what comes from there, or for both. */
export interface CutLink {
  readonly address: PeerAddress;
  readonly to: boolean;
  readonly from: boolean;
}

type Cut = Pick<CutLink, "to" | "from">;

const whole: Cut = { to: false, from: false };

/**
 * A stream whose way to the peer may be cut:
 *
 *     unopened, cut ──healed──▶ opening ──▶ open ──cut──▶ open, cut ──healed──▶ open
 *         └──no connection in time──▶ over ◀──no answer to a ping in time──┘
 *
 * What is sent across a cut is held and arrives late, once it is healed, as a network's own
 * repetition of what was lost has it; unless the stream was given up before.
 */
export class SeverableStream implements PeerStream {
  readonly #transport: PeerTransport;
  readonly #input: PeerStreamInput;
  readonly #onOver: () => void;
  #cut: Cut;
  #inner: PeerStream | undefined;
  #isOpen = false;
  #isOver = false;
  /** What was lost on its way, each way in its order. */
  #heldOut: (() => void)[] = [];
  #heldIn: (() => void)[] = [];
  #cancelGivingUp: Cancel = () => {};

  constructor(
    transport: PeerTransport,
    input: PeerStreamInput,
    cut: Cut | undefined,
    onOver: () => void,
  ) {
    this.#transport = transport;
    this.#input = input;
    this.#onOver = onOver;
    this.#cut = cut ?? whole;
    if (this.#isCut) this.#giveUpIn(input.options.connectMs, "the peer did not answer in time");
    else this.#open();
  }

  get address(): PeerAddress {
    return this.#input.address;
  }

  /** The way to the peer is cut in these directions from now on, or in none. */
  obey(cut: Cut | undefined): void {
    const wasCut = this.#isCut;
    this.#cut = cut ?? whole;
    const { options } = this.#input;
    if (!this.#isCut) this.#cancelGivingUp();
    if (this.#isOpen) {
      const silentMs = options.keepaliveMs + options.keepaliveTimeoutMs;
      if (this.#isCut && !wasCut) this.#giveUpIn(silentMs, "the peer answers no ping");
      this.#release();
    } else if (this.#isCut) {
      // Its handshake is lost, and begins anew when the way is whole.
      this.#inner?.destroy();
      this.#inner = undefined;
      if (!wasCut) this.#giveUpIn(options.connectMs, "the peer did not answer in time");
    } else if (wasCut) this.#open();
  }

  write(message: Uint8Array, sent: () => void): void {
    if (!this.#cut.to) return this.#send(message, sent);
    this.#heldOut.push(() => this.#send(message, sent));
  }

  end(): void {
    if (this.#isOver) return;
    const isCut = this.#isCut;
    this.#over();
    if (isCut) this.#inner?.destroy();
    else this.#inner?.end();
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#over();
    this.#inner?.destroy();
  }

  get #isCut(): boolean {
    return this.#cut.to || this.#cut.from;
  }

  #open(): void {
    const { onOpen, onMessage, onBroken } = this.#input;
    this.#inner = this.#transport.connect({
      ...this.#input,
      onOpen: () => {
        this.#isOpen = true;
        onOpen();
      },
      onMessage: (message) => {
        if (!this.#cut.from) return onMessage(message);
        // The transport may use its bytes again.
        const kept = message.slice();
        this.#heldIn.push(() => onMessage(kept));
      },
      onBroken: (reason) => {
        const broken = (): void => {
          if (this.#isOver) return;
          this.#over();
          onBroken(reason);
        };
        // Nobody learns of it across a cut, until the peer is missed.
        if (this.#isCut) this.#heldIn.push(broken);
        else broken();
      },
    });
  }

  #send(message: Uint8Array, sent: () => void): void {
    invariant(this.#inner !== undefined, "messages are written to streams that have opened");
    this.#inner.write(message, sent);
  }

  #release(): void {
    if (!this.#cut.to) for (const send of this.#heldOut.splice(0)) send();
    if (this.#cut.from) return;
    for (const arrive of this.#heldIn.splice(0)) if (!this.#isOver) arrive();
  }

  #giveUpIn(ms: number, reason: string): void {
    const { clock, onBroken } = this.#input;
    this.#cancelGivingUp = clock.at(clock.monotonicMs() + ms, () => {
      this.destroy();
      onBroken(reason);
    });
  }

  #over(): void {
    this.#isOver = true;
    this.#cancelGivingUp();
    this.#onOver();
  }
}
