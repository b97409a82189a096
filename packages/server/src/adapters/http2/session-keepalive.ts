import type { Cancel, Clock } from "@coterie/ports";
import type { Http2Session } from "node:http2";

/** How often a connection is asked, and how long the answer may take. */
export interface KeepaliveOptions {
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
}

/**
 * Notices a connection whose other end has stopped: pings it, and says so when no answer comes in
 * time. A stopped process keeps its connections, and the system goes on taking what is sent to it.
 */
export class SessionKeepalive {
  readonly #session: Http2Session;
  readonly #clock: Clock;
  readonly #options: KeepaliveOptions;
  readonly #onSilent: () => void;
  #cancel: Cancel = () => {};

  constructor(
    session: Http2Session,
    parts: { readonly clock: Clock; readonly options: KeepaliveOptions },
    onSilent: () => void,
  ) {
    this.#session = session;
    this.#clock = parts.clock;
    this.#options = parts.options;
    this.#onSilent = onSilent;
    this.#pingLater();
  }

  stop(): void {
    this.#cancel();
  }

  #pingLater(): void {
    this.#in(this.#options.keepaliveMs, () => this.#ping());
  }

  #ping(): void {
    if (this.#session.destroyed || this.#session.closed) return;
    this.#in(this.#options.keepaliveTimeoutMs, this.#onSilent);
    this.#session.ping((error) => {
      this.#cancel();
      if (error === null) this.#pingLater();
    });
  }

  #in(ms: number, fire: () => void): void {
    this.#cancel = this.#clock.at(this.#clock.monotonicMs() + ms, fire);
  }
}
