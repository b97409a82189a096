import type { Clock } from "@coterie/ports";
import type { Http2Stream } from "node:http2";
import { type FrameProblem, MessageFrames, type MessageRoom } from "./message-frames.ts";

/** What a message costs beside its bytes, in bytes: an empty one is work too. */
const messageCost = 128;

export interface MessageReaderInput {
  readonly clock: Clock;
  readonly messageBytesMax: number;
  /** For messages that have not come whole; as much as they take, if left out. */
  readonly room?: MessageRoom;
  /** Of messages in one turn; the one that goes beyond is the turn's last. */
  readonly turnBytesMax: number;
  readonly onMessage: (message: Uint8Array) => void;
  /** The stream has ended, after a whole message. */
  readonly onEnd: () => void;
  /** The stream is no gRPC from here on; nothing more is read. */
  readonly onProblem: (problem: FrameProblem) => void;
}

/**
 * Reads the messages of one stream, at most so many in a turn: whoever sends faster than that
 * waits, and not all the others. A message is delivered whole, and none while the reader is paused.
 */
export class MessageReader {
  readonly #stream: Http2Stream;
  readonly #input: MessageReaderInput;
  readonly #frames: MessageFrames;
  /** Of the messages of this turn. */
  #cost = 0;
  #isTurnCounted = false;
  #isPaused = false;
  #hasEnded = false;
  #isOver = false;

  constructor(stream: Http2Stream, input: MessageReaderInput) {
    this.#stream = stream;
    this.#input = input;
    this.#frames = new MessageFrames(input.messageBytesMax, input.room);
    stream.on("data", (chunk: Uint8Array) => {
      if (this.#isOver) return;
      this.#frames.add(chunk);
      this.#deliver();
    });
    stream.on("close", () => this.stop());
    stream.on("end", () => {
      this.#hasEnded = true;
      this.#deliver();
    });
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** The sender has said that nothing more comes, and that was read. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#deliver();
  }

  /** Delivers nothing more; what still comes is dropped, so that the stream can end. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#frames.drop();
    this.#stream.resume();
  }

  #deliver(): void {
    while (!this.#isPaused && !this.#isOver) {
      if (this.#cost >= this.#input.turnBytesMax) {
        this.#stream.pause();
        return;
      }
      const message = this.#frames.next();
      if (message === undefined) {
        this.#goOn();
        return;
      }
      this.#count(message.length + messageCost);
      this.#input.onMessage(message);
    }
  }

  /** There is no whole message left. */
  #goOn(): void {
    const { problem, isBetweenMessages } = this.#frames;
    if (problem !== undefined) this.#fail(problem);
    else if (!this.#hasEnded) {
      if (this.#stream.isPaused()) this.#stream.resume();
    } else if (isBetweenMessages) {
      this.#isOver = true;
      this.#input.onEnd();
    } else this.#fail({ kind: "cut", message: "the stream ends within a message" });
  }

  #fail(problem: FrameProblem): void {
    this.stop();
    this.#input.onProblem(problem);
  }

  #count(cost: number): void {
    this.#cost += cost;
    if (this.#isTurnCounted) return;
    this.#isTurnCounted = true;
    this.#input.clock.afterTurn(this.#nextTurn);
  }

  readonly #nextTurn = (): void => {
    const wasSpent = this.#cost >= this.#input.turnBytesMax;
    this.#cost = 0;
    this.#isTurnCounted = false;
    if (wasSpent) this.#deliver();
  };
}
