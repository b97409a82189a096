import type { NodeId } from "../ids.ts";
import { type News, wholeMs } from "./news.ts";

interface Entry {
  readonly news: News;
  readonly bytes: number;
  readonly queuedAt: number;
  timesSent: number;
}

const nothing: readonly News[] = [];
/** Bytes that a piece of news takes besides the two names in it, at most. */
const newsBytesFixed = 20;

/** News to pass on: what was told least often first, and each piece only so many times. */
export class NewsQueue {
  readonly #bytesMax: number;
  readonly #entries = new Map<NodeId, Entry>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Replaces what was to be told of the same member. */
  add(news: News, now: number): void {
    const bytes = news.id.length + news.by.length + newsBytesFixed;
    this.#entries.set(news.id, { news, bytes, queuedAt: now, timesSent: 0 });
  }

  forget(id: NodeId): void {
    this.#entries.delete(id);
  }

  /** News for a message that goes to `copies` members; each piece is told `timesMax` times. */
  take(copies: number, timesMax: number, now: number): readonly News[] {
    if (this.#entries.size === 0) return nothing;
    const taken: News[] = [];
    let bytes = 0;
    for (const entry of this.#inOrder()) {
      bytes += entry.bytes;
      if (bytes > this.#bytesMax && taken.length > 0) break;
      taken.push(aged(entry, now));
      entry.timesSent += copies;
      if (entry.timesSent >= timesMax) this.#entries.delete(entry.news.id);
    }
    return taken;
  }

  #inOrder(): Iterable<Entry> {
    let bytes = 0;
    for (const entry of this.#entries.values()) bytes += entry.bytes;
    if (bytes <= this.#bytesMax) return this.#entries.values();
    return [...this.#entries.values()].sort((left, right) => left.timesSent - right.timesSent);
  }
}

function aged({ news, queuedAt }: Entry, now: number): News {
  if (news.state !== "dead") return news;
  return { ...news, ageMs: wholeMs(news.ageMs + (now - queuedAt)) };
}
