import type { ByteBudget } from "../byte-budget.ts";

/** Shorter lines are not counted in the budget: there are never many of them. */
const countedBytes = 4096;

/**
 * Lines on their way to a client, as the body of a response. They are gathered while the client
 * does not read; whoever adds them looks at {@link AnswerStream.bytes} and stops.
 */
export class AnswerStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #unread: ByteBudget;
  readonly #onProgress: () => void;
  #lines: string[] = [];
  #bytes = 0;
  /** Taken from the budget: of the lines gathered, and of those delivered last. */
  #counted = 0;
  #countedDelivered = 0;
  #isEnded = false;
  #isCancelled = false;
  #pull: (() => void) | undefined;

  /** Calls `onProgress` whenever lines were taken, and when nobody will take any more. */
  constructor(unread: ByteBudget, onProgress: () => void) {
    this.#unread = unread;
    this.#onProgress = onProgress;
    const strategy = { highWaterMark: 1 };
    this.body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => this.#pulled(controller),
        cancel: () => this.#cancel(),
      },
      strategy,
    );
  }

  /** Characters that the client has not taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The client has left. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** False if clients have left too much unread: a long line is not taken then. */
  add(line: string): boolean {
    if (this.#isCancelled || this.#isEnded) return true;
    if (line.length >= countedBytes) {
      if (!this.#unread.take(line.length)) return false;
      this.#counted += line.length;
    }
    this.#lines.push(line);
    this.#bytes += line.length + 1;
    // By turns of the event loop: what is answered together travels together.
    if (this.#lines.length === 1) setImmediate(() => this.#flush());
    return true;
  }

  /** The first call counts. */
  end(): void {
    this.#isEnded = true;
    this.#flush();
  }

  /** The client has taken what was delivered before. */
  #pulled(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#unread.give(this.#countedDelivered);
    this.#countedDelivered = 0;
    return new Promise((resolve) => {
      this.#pull = () => {
        this.#pull = undefined;
        this.#deliver(controller);
        resolve();
      };
      this.#flush();
    });
  }

  /** A pull that delivers nothing would be the last one. */
  #flush(): void {
    if (this.#lines.length > 0 || this.#isEnded) this.#pull?.();
  }

  #deliver(controller: ReadableStreamDefaultController<Uint8Array>): void {
    if (this.#isCancelled) return;
    if (this.#lines.length > 0) {
      const text = `${this.#lines.join("\n")}\n`;
      this.#countedDelivered = this.#counted;
      this.#counted = 0;
      this.#lines = [];
      this.#bytes = 0;
      controller.enqueue(Buffer.from(text));
      this.#onProgress();
    }
    if (!this.#isEnded) return;
    this.#giveBack();
    controller.close();
  }

  #cancel(): void {
    this.#isCancelled = true;
    this.#lines = [];
    this.#bytes = 0;
    this.#giveBack();
    this.#pull?.();
    this.#onProgress();
  }

  #giveBack(): void {
    this.#unread.give(this.#counted + this.#countedDelivered);
    this.#counted = 0;
    this.#countedDelivered = 0;
  }
}
