import type { Socket } from "node:net";
import { RespParser } from "@coterie/protocol";
import { beginCall, commandFor, namesOf } from "./begin-call.ts";
import { type CallOwner, RespCall } from "./resp-call.ts";
import type { RespService } from "./resp-service.ts";
import { RespSession, type SessionLink } from "./resp-session.ts";
import { brokenFraming, overLimit } from "./refused-commands.ts";
import { wrongProtocolOf } from "./wrong-protocol.ts";

/** How long a connection that is over may take to be gone. */
const endMs = 5000;

/** What a client may still send once its connection ends, before it is cut off. */
const droppedBytesMax = 1024 * 1024;
/** For a reply that is no bytes: roughly what it takes. */
const replyBytes = 64;

/**
 * One client. Commands are begun in the order in which they came, those of different keys side by
 * side, and answered in that order, with one write for all replies of a turn.
 *
 *     open ──QUIT, broken framing, drain, end of input──▶ ending ──all answered──▶ over
 *       └──error, cut──────────────────────────────────────────────────────────────┘
 */
export class RespConnection implements CallOwner, SessionLink {
  readonly session: RespSession;
  readonly address: string;
  readonly localAddress: string;
  readonly #socket: Socket;
  readonly #service: RespService;
  readonly #parser: RespParser;
  readonly #from: { readonly service: RespService; readonly session: RespSession };
  readonly #onFlush: () => void;
  readonly #onWritten: () => void;
  /** Of all calls that are not answered, the first and the last to come. */
  #first: RespCall | undefined;
  #last: RespCall | undefined;
  /** A command that must wait for others. */
  #waiting: RespCall | undefined;
  /** Calls begun and not settled. */
  #calls = 0;
  #alone: RespCall | undefined;
  /** Keys in use: by how many readers, or -1 by a writer. */
  readonly #busy = new Map<string, number>();
  /** Bytes of replies settled and not written. */
  #readyBytes = 0;
  /** What the budgets were last told. */
  #unreadTold = 0;
  #heldTold = 0;
  #isAdvancing = false;
  #isFlushScheduled = false;
  #hasBegun = false;
  #inputEnded = false;
  #isEnding = false;
  #isOver = false;
  #droppedBytes = 0;
  #endingSinceMs = 0;
  #receivedAtMs: number;
  #bytesWritten = 0;
  #takenAtMs: number;

  constructor(socket: Socket, service: RespService, id: number) {
    this.#socket = socket;
    this.#service = service;
    const { valueBytesMax } = service.options;
    const { commandBytesMax } = service.tuning;
    this.#parser = new RespParser({ bulkBytesMax: valueBytesMax, commandBytesMax });
    this.address = `${socket.remoteAddress}:${socket.remotePort}`;
    this.localAddress = `${socket.localAddress}:${socket.localPort}`;
    this.session = new RespSession(this, id, service.clock.monotonicMs());
    this.#from = { service, session: this.session };
    this.#receivedAtMs = this.session.createdAtMs;
    this.#takenAtMs = this.session.createdAtMs;
    this.#onFlush = () => this.#flush();
    this.#onWritten = () => this.#written();
    service.sessions.set(id, this.session);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("end", () => this.#endInput());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#over());
  }

  get unreadBytes(): number {
    return this.#readyBytes + this.#socket.writableLength;
  }

  get heldBytes(): number {
    return this.#parser.heldBytes;
  }

  endAfterReplies(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#endingSinceMs = this.#service.clock.monotonicMs();
    this.#waiting = undefined;
    // What still comes is read and dropped: closing over unread input would lose the last replies.
    this.#socket.resume();
    this.#scheduleFlush();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Cuts a client that holds memory and takes or sends nothing. */
  check(nowMs: number): void {
    const { silenceMs } = this.#service.tuning;
    if (this.#isEnding && nowMs - this.#endingSinceMs > Math.max(endMs, silenceMs)) {
      this.destroy();
    }
    if (this.#socket.writableLength === 0 || this.#socket.bytesWritten !== this.#bytesWritten) {
      this.#bytesWritten = this.#socket.bytesWritten;
      this.#takenAtMs = nowMs;
    } else if (nowMs - this.#takenAtMs >= silenceMs) this.#cut("it takes no replies");
    const isWaitedFor = this.#calls === 0 && this.#waiting === undefined;
    if (this.#parser.isBetweenCommands || !isWaitedFor) this.#receivedAtMs = nowMs;
    else if (nowMs - this.#receivedAtMs >= silenceMs) this.#cut("its command does not come whole");
  }

  settled(call: RespCall): void {
    this.#calls -= 1;
    if (this.#alone === call) this.#alone = undefined;
    for (const name of call.names) this.#release(name);
    this.#readyBytes += sizeOf(call);
    this.#scheduleFlush();
    if (this.#waiting !== undefined && !this.#isAdvancing) this.#advance();
  }

  #receive(chunk: Uint8Array): void {
    const { statistics, clock } = this.#service;
    statistics.bytesReceived += chunk.length;
    if (this.#isOver) return;
    if (this.#isEnding) {
      this.#droppedBytes += chunk.length;
      if (this.#droppedBytes > droppedBytesMax) this.destroy();
      return;
    }
    this.#receivedAtMs = clock.monotonicMs();
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      // The first byte of a TLS handshake; no command begins with it.
      if (chunk[0] === 0x16) return this.#refuseProtocol("TLS");
    }
    this.#parser.feed(chunk);
    this.#advance();
    this.#tellHeld();
  }

  #endInput(): void {
    this.#inputEnded = true;
    if (this.#waiting === undefined) this.endAfterReplies();
  }

  /** Begins what may begin; what may not waits, and nothing more is read until it has begun. */
  #advance(): void {
    this.#isAdvancing = true;
    while (!this.#isEnding && !this.#isOver) {
      const call = this.#waiting ?? this.#nextCall();
      this.#waiting = undefined;
      if (call === undefined) break;
      if (!this.#mayBegin(call)) {
        this.#waiting = call;
        break;
      }
      this.#begin(call);
    }
    this.#isAdvancing = false;
    if (this.#isOver) return;
    if (this.#waiting !== undefined) this.#socket.pause();
    else if (this.#inputEnded) this.endAfterReplies();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #nextCall(): RespCall | undefined {
    const parser = this.#parser;
    const words = parser.next();
    if (words === undefined) {
      if (parser.problem !== undefined) this.#refuseFraming(parser.problem);
      return undefined;
    }
    if (parser.isInline) {
      const protocol = wrongProtocolOf(words);
      if (protocol !== undefined) return this.#refuseProtocol(protocol);
    }
    const command = parser.isOverLimit ? overLimit : commandFor(words);
    const call = new RespCall(this, this.#from, command, words);
    call.names = namesOf(command, words);
    return call;
  }

  #mayBegin(call: RespCall): boolean {
    const { callsMax, pauseBytes } = this.#service.tuning;
    if (this.#alone !== undefined || this.#calls >= callsMax) return false;
    if (this.unreadBytes > pauseBytes) return false;
    if (call.command.order === "alone") return this.#calls === 0;
    if (this.#busy.size === 0) return true;
    const isWrite = call.command.flags.includes("write");
    return !call.names.some((name) => {
      const use = this.#busy.get(name);
      return use !== undefined && (isWrite || use < 0);
    });
  }

  #begin(call: RespCall): void {
    this.#calls += 1;
    if (call.command.order === "alone") this.#alone = call;
    const isWrite = call.command.flags.includes("write");
    for (const name of call.names) {
      this.#busy.set(name, isWrite ? -1 : (this.#busy.get(name) ?? 0) + 1);
    }
    this.#enqueue(call);
    beginCall(call);
  }

  #enqueue(call: RespCall): void {
    if (this.#last === undefined) this.#first = call;
    else this.#last.next = call;
    this.#last = call;
  }

  #release(name: string): void {
    const readers = (this.#busy.get(name) ?? 0) - 1;
    if (readers > 0) this.#busy.set(name, readers);
    else this.#busy.delete(name);
  }

  #refuseProtocol(protocol: "HTTP" | "TLS"): undefined {
    this.#service.statistics.protocolErrors += 1;
    this.#service.tell({ kind: "wrong-protocol", protocol, client: this.address });
    const words = `this door speaks RESP, the protocol of Redis, and not ${protocol}`;
    this.#refuseAndEnd(`ERR ${words}`);
  }

  #refuseFraming(problem: string): void {
    this.#service.statistics.protocolErrors += 1;
    this.#service.tell({ kind: "protocol-error", problem, client: this.address });
    this.#refuseAndEnd(`ERR Protocol error: ${problem}`);
  }

  #refuseAndEnd(text: string): void {
    const call = new RespCall(this, this.#from, brokenFraming, []);
    this.#calls += 1;
    this.#enqueue(call);
    call.refuse(text);
    this.endAfterReplies();
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    this.#service.clock.afterTurn(this.#onFlush);
  }

  #flush(): void {
    this.#isFlushScheduled = false;
    if (this.#isOver) return;
    const { writer, statistics } = this.#service;
    while (this.#first?.reply !== undefined) {
      const call = this.#first;
      this.#readyBytes -= sizeOf(call);
      if (!call.isSilent) writer.write(call.reply as NonNullable<typeof call.reply>, call.version);
      this.#first = call.next;
      if (this.#first === undefined) this.#last = undefined;
    }
    statistics.bytesSent += writer.bytes;
    this.#send(writer.take());
    if (this.#isEnding && this.#first === undefined) this.#socket.end();
    this.#written();
  }

  #send(chunks: readonly Uint8Array[]): void {
    const last = chunks.length - 1;
    if (last > 0) this.#socket.cork();
    for (const [at, chunk] of chunks.entries()) {
      if (at === last) this.#socket.write(chunk, this.#onWritten);
      else this.#socket.write(chunk);
    }
    if (last > 0) this.#socket.uncork();
  }

  /** Some of what was written has been taken, or more has been written. */
  #written(): void {
    if (this.#isOver) return;
    this.#tellUnread(this.unreadBytes);
    if (this.unreadBytes > this.#service.tuning.unreadBytesMax) {
      return this.#cut("it has too many replies to take");
    }
    if (this.#waiting !== undefined) this.#advance();
  }

  #tellUnread(bytes: number): void {
    const { unread, statistics } = this.#service;
    unread.give(this.#unreadTold);
    unread.hold(bytes);
    this.#unreadTold = bytes;
    statistics.bytesUnread = unread.bytes;
  }

  /** Commands that never come whole must not fill the memory either. */
  #tellHeld(): void {
    const { held } = this.#service;
    const bytes = this.#isOver ? 0 : this.#parser.heldBytes;
    held.give(this.#heldTold);
    this.#heldTold = 0;
    if (bytes > 0 && !held.take(bytes)) {
      this.#cut("too much memory is taken by commands that have not come whole");
    } else this.#heldTold = bytes;
  }

  #cut(reason: string): void {
    if (this.#isOver) return;
    this.#service.statistics.cut += 1;
    this.#service.tell({ kind: "client-cut", reason, client: this.address });
    this.destroy();
    this.#over();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting = undefined;
    this.#first = undefined;
    this.#last = undefined;
    this.#tellUnread(0);
    this.#service.held.give(this.#heldTold);
    this.#heldTold = 0;
    this.#service.sessions.delete(this.session.id);
  }
}

function sizeOf({ reply }: RespCall): number {
  return reply instanceof Uint8Array ? reply.length : replyBytes;
}
