import type { NodeApi } from "@coterie/cluster";
import { latin1 } from "@coterie/core";
import type { ByteBudget } from "../../byte-budget.ts";
import type { FailureFacts } from "../responses.ts";
import { AnswerStream } from "../answer-stream.ts";
import { type BatchOperation, parseBatchLine } from "./batch-operation.ts";
import { type BatchReply, failureReply, getReply, writeReply } from "./batch-reply.ts";
import { LineSplitter } from "./line-splitter.ts";

export interface BatchParts {
  readonly node: NodeApi;
  readonly valueBytesMax: number;
  /** Bytes received and not yet done with, all connections together. */
  readonly budget: ByteBudget;
  /** Bytes of answers that clients have not taken, all connections together. */
  readonly unread: ByteBudget;
  /** Counts a line that was answered. */
  readonly countLine: (status: number) => void;
  /** How long a line may take to arrive, in milliseconds. */
  readonly patienceMs: number;
  /** Told of an error that nobody expects: a defect. */
  readonly onDefect: (error: Error) => void;
}

/** Operations of one batch that run at once: at first, and at most. */
const window = { first: 8, max: 64 };
/** Bytes that the operations running at once may have or bring, beyond the first of them. */
const runningBytesMax = 8 * 1024 * 1024;
/** Unread answers, above which nothing is begun. */
const unreadBytesMax = 256 * 1024;

/** The longest line: a value in base64, a key, a context, and names. */
export function lineBytesMaxOf(valueBytesMax: number): number {
  return Math.ceil(valueBytesMax / 3) * 4 + 16 * 1024;
}

/**
 * Carries out the lines of one request as they come and answers each when it is done. What it
 * holds is bounded: nothing more is read while enough is running or the client does not read.
 * Lines of one key are carried out in their order, those of others side by side.
 */
export class BatchStory {
  readonly #parts: BatchParts;
  readonly #splitter: LineSplitter;
  readonly #answers: AnswerStream;
  /** The last operation begun on each key that has one. */
  readonly #latest = new Map<string, Promise<void>>();
  #lines = 0;
  #failed = 0;
  #running = 0;
  #runningBytes = 0;
  /** Bytes taken from the budget. */
  #heldBytes = 0;
  #windowSize = window.first;
  /** Of an operation's line and answer together; forgets slowly. */
  #largestBytes = 1;
  #isOver = false;
  #waiting: (() => void)[] = [];

  constructor(parts: BatchParts) {
    this.#parts = parts;
    this.#splitter = new LineSplitter(lineBytesMaxOf(parts.valueBytesMax));
    this.#answers = new AnswerStream(parts.unread, () => this.#wake());
  }

  /** The answer, which grows while {@link BatchStory.run} reads the request. */
  get body(): ReadableStream<Uint8Array> {
    return this.#answers.body;
  }

  /** Settles when all is done, or the client has left. */
  async run(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const isWhole = await this.#readAll(chunks);
    await this.#until(() => this.#running === 0);
    this.#parts.budget.give(this.#heldBytes);
    this.#heldBytes = 0;
    this.#end(isWhole);
  }

  #end(isWhole: boolean): void {
    const end = { done: isWhole, lines: this.#lines, failed: this.#failed };
    this.#answers.add(JSON.stringify(end));
    this.#answers.end();
  }

  /** True if the request was read to its end. */
  async #readAll(chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
    let isWaiting = true;
    const timer = setTimeout(() => {
      if (isWaiting) this.#giveUp();
      else timer.refresh();
    }, this.#parts.patienceMs);
    try {
      for await (const chunk of chunks) {
        isWaiting = false;
        const before = this.#lines;
        if (!(await this.#hold(chunk.length)) || !(await this.#feed(chunk))) return false;
        isWaiting = true;
        if (this.#lines > before) timer.refresh();
      }
      if (this.#isOver) return false;
      const rest = this.#splitter.rest();
      if (rest.length > 0) await this.#begin(rest);
      return true;
    } catch {
      // The request broke off: its client is gone.
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The client sends nothing more: answers what is done, and ends the request with the answer. */
  #giveUp(): void {
    this.#fail({ code: "timeout", message: "the next line did not come in time", status: 408 });
    void this.#until(() => this.#running === 0).then(() => this.#end(false));
  }

  /** Takes bytes from the budget, when there are enough; false if this batch cannot wait. */
  async #hold(bytes: number): Promise<boolean> {
    while (!this.#parts.budget.take(bytes)) {
      if (this.#running === 0) {
        this.#fail({ code: "overloaded", message: "too many bytes of requests are being read" });
        return false;
      }
      const running = this.#running;
      await this.#until(() => this.#running < running);
    }
    this.#heldBytes += bytes;
    return true;
  }

  #release(bytes: number): void {
    const released = Math.min(bytes, this.#heldBytes);
    this.#heldBytes -= released;
    this.#parts.budget.give(released);
  }

  async #feed(chunk: Uint8Array): Promise<boolean> {
    for (const line of this.#splitter.feed(chunk)) {
      if (line === "too-long") {
        const bytesMax = lineBytesMaxOf(this.#parts.valueBytesMax);
        this.#lines += 1;
        this.#fail({ code: "too-large", message: `a line has at most ${bytesMax} bytes` });
        return false;
      }
      await this.#begin(line);
      if (this.#answers.isCancelled || this.#isOver) return false;
    }
    return true;
  }

  async #begin(line: Uint8Array): Promise<void> {
    this.#lines += 1;
    const bytes = line.length + 1;
    if (isBlank(line)) return this.#release(bytes);
    if (!this.#hasRoom(bytes)) await this.#until(() => this.#hasRoom(bytes));
    if (this.#answers.isCancelled) return;
    const number = this.#lines;
    const parsed = parseBatchLine(line, this.#parts.valueBytesMax);
    if (!parsed.ok) {
      this.#release(bytes);
      this.#answer(failureReply(number, parsed.failure));
      return;
    }
    this.#running += 1;
    this.#runningBytes += bytes;
    this.#chain(parsed.operation, async () => {
      const reply = await this.#carryOut(number, parsed.operation).catch((error: unknown) => {
        this.#parts.onDefect(error as Error);
        const message = "a defect; the node's log says more";
        return failureReply(number, { code: "internal", message, outcome: "unknown" });
      });
      this.#running -= 1;
      this.#runningBytes -= bytes;
      this.#release(bytes);
      this.#adapt(bytes + this.#answer(reply));
      this.#wake();
    });
  }

  #hasRoom(bytes: number): boolean {
    if (this.#answers.isCancelled || this.#isOver) return true;
    if (this.#answers.bytes >= unreadBytesMax) return false;
    if (this.#running === 0) return true;
    return this.#running < this.#windowSize && this.#runningBytes + bytes <= runningBytesMax;
  }

  /** More at once while they are small: what a get brings is known only afterwards. */
  #adapt(bytes: number): void {
    this.#largestBytes = Math.max(bytes, this.#largestBytes * 0.99);
    const fitting = Math.floor(runningBytesMax / this.#largestBytes);
    this.#windowSize = Math.max(1, Math.min(this.#windowSize + 1, window.max, fitting));
  }

  /** Runs `work` after what was begun on the same key before. */
  #chain({ key }: BatchOperation, work: () => Promise<void>): void {
    const name = `${key.bucket}/${latin1(key.key)}`;
    const before = this.#latest.get(name);
    const done = (before === undefined ? work() : before.then(work)).then(() => {
      if (this.#latest.get(name) === done) this.#latest.delete(name);
    });
    this.#latest.set(name, done);
  }

  async #carryOut(line: number, operation: BatchOperation): Promise<BatchReply> {
    const { node } = this.#parts;
    const { key, options } = operation;
    if (operation.op === "get") return getReply(line, await node.get(key, options));
    if (operation.op === "delete") {
      return writeReply(line, await node.delete(key, operation.context, options), false);
    }
    const { input } = operation;
    return writeReply(line, await node.put(key, input, options), input.ifAbsent);
  }

  /** Returns the length of the answer. */
  #answer(reply: BatchReply): number {
    if ("code" in reply && reply["code"] !== "not-found") this.#failed += 1;
    const text = JSON.stringify(reply);
    if (this.#answers.add(text)) {
      this.#parts.countLine(Number(reply["status"]));
      return text.length;
    }
    this.#failed += 1;
    const message = "clients have left too many bytes of answers unread";
    const refusal = failureReply(Number(reply["line"]), { code: "overloaded", message });
    this.#answers.add(JSON.stringify({ ...refusal, outcome: reply["outcome"] }));
    this.#parts.countLine(Number(refusal["status"]));
    return text.length;
  }

  #fail(failure: FailureFacts): void {
    this.#isOver = true;
    this.#answer(failureReply(this.#lines, { outcome: "refused", ...failure }));
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function isBlank(line: Uint8Array): boolean {
  return line.length === 0 || (line.length === 1 && line[0] === 0x0d);
}
