import { invariant } from "../invariant.ts";

/** Times are milliseconds of one monotonic clock. */
export interface PressureSettings {
  /** Requests in flight above which more are refused, however quick they are. */
  readonly requestsMax: number;
  /** Bytes of their values above which more are refused. */
  readonly bytesMax: number;
  /** How long a request may have to wait for this process before fewer are let in. */
  readonly delayMsTarget: number;
}

/** Requests in flight that no delay refuses: what one client has under way in a batch. */
const requestsFloor = 1024;
/** How long the least delay is looked for: CoDel's interval (RFC 8289, section 4.3). */
const intervalMs = 100;
/** Least that says something about an interval; a longer one is waited for. */
const delaysMin = 4;
const tookMin = 16;
/**
 * A request's whole time also holds waits for disks and peers, which letting in fewer does not
 * shorten. It counts only where it is so long that callers begin to give up.
 */
const tookFactor = 20;
/** By how much the window opens in an interval without a standing queue. */
const opening = 1.25;
/** Share of time computed up to which the process counts as idle. */
const utilizationIdle = 0.5;
/** How much slower background work gets, at most: it always goes on. */
const slowdownMax = 8;

/**
 * How busy this node is with what clients wait for: the one notion that admission, background work
 * and metrics share. Who knows something tells it; who wants to know asks `level` or `restMs`.
 *
 * **Background work** (compaction, scrub, sweeper, handoff, refill) works in small slices and rests
 * between two of them for `restMs(ms)`, where `ms` is the rest at an idle node; it becomes up to
 * eight times as long, never infinite, so that nothing starves. What cannot be cut into slices may
 * wait while `level` is above one half.
 *
 * **Admission** lets a request in with `begin`, which is false if it is to be refused before any
 * work. The bound is a window that the *least* delay of an interval moves, as CoDel does: a burst
 * passes, a standing queue does not. If even the quickest request waited longer than the target,
 * the window shrinks to what would wait just that long (Little's law), and opens again by a quarter
 * per interval.
 */
export class Pressure {
  readonly #settings: PressureSettings;
  readonly #floor: number;
  #requests = 0;
  #bytes = 0;
  #window: number;
  #utilization = 0;
  /** Share of the target that the least delay of the last interval was. */
  #delayShare = 0;
  #untilMs = Number.NEGATIVE_INFINITY;
  #delayMs = Number.POSITIVE_INFINITY;
  #delays = 0;
  #tookMs = Number.POSITIVE_INFINITY;
  #took = 0;

  constructor(settings: PressureSettings) {
    this.#settings = settings;
    this.#floor = Math.min(requestsFloor, settings.requestsMax);
    this.#window = settings.requestsMax;
  }

  /** Requests in flight. */
  get requests(): number {
    return this.#requests;
  }

  /** Bytes of their values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many requests may be in flight now. */
  get window(): number {
    return this.#window;
  }

  /** From 0, idle, to 1: requests are refused, or nothing is left for anything else. */
  get level(): number {
    const { bytesMax } = this.#settings;
    const computing = (this.#utilization - utilizationIdle) / (1 - utilizationIdle);
    const level = Math.max(
      this.#requests / this.#window,
      this.#bytes / bytesMax,
      // What the last requests met says nothing once there are none.
      this.#requests === 0 ? 0 : this.#delayShare,
      computing,
    );
    return Math.min(1, level);
  }

  /** How long background work rests after a slice that `ms` would follow at an idle node. */
  restMs(ms: number): number {
    return ms * (1 + this.level * (slowdownMax - 1));
  }

  /** Lets a request with so many bytes in; false: refuse it. */
  begin(bytes: number): boolean {
    if (this.#requests >= this.#window || !this.#hasRoomFor(bytes)) return false;
    this.#requests += 1;
    this.#bytes += bytes;
    return true;
  }

  /** A request that was let in has ended. */
  end(bytes: number): void {
    invariant(this.#requests > 0, "a request that ends was let in");
    this.#requests -= 1;
    this.#bytes -= bytes;
  }

  /** Further bytes that a request in flight will hold; false: there is no room. */
  hold(bytes: number): boolean {
    if (this.#bytes > 0 && !this.#hasRoomFor(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Gives back what {@link hold} took. */
  give(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** What came just now had to wait so long for this process. */
  noteDelay(ms: number, nowMs: number): void {
    this.#delays += 1;
    if (ms < this.#delayMs) this.#delayMs = ms;
    if (nowMs >= this.#untilMs) this.#endInterval(nowMs);
  }

  /** A request that did what was asked took so long, all in all. */
  noteTook(ms: number, nowMs: number): void {
    this.#took += 1;
    if (ms < this.#tookMs) this.#tookMs = ms;
    if (nowMs >= this.#untilMs) this.#endInterval(nowMs);
  }

  /** The share of the last moments, from 0 to 1, in which this process computed. */
  noteUtilization(share: number): void {
    this.#utilization = share;
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#settings.bytesMax;
  }

  #endInterval(nowMs: number): void {
    if (this.#delays < delaysMin && this.#took < tookMin) return;
    const { delayMsTarget, requestsMax } = this.#settings;
    const delay = this.#delays < delaysMin ? 0 : this.#delayMs / delayMsTarget;
    const took = this.#took < tookMin ? 0 : this.#tookMs / (delayMsTarget * tookFactor);
    this.#delayShare = Math.max(delay, took);
    const window =
      this.#delayShare > 1
        ? Math.min(this.#requests, this.#window) / this.#delayShare
        : this.#window * opening;
    this.#window = Math.min(requestsMax, Math.max(this.#floor, Math.floor(window)));
    this.#untilMs = nowMs + intervalMs;
    this.#delays = 0;
    this.#delayMs = Number.POSITIVE_INFINITY;
    this.#took = 0;
    this.#tookMs = Number.POSITIVE_INFINITY;
  }
}
