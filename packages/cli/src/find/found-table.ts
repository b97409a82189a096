import { keyLabel } from "../http/keys.ts";
import type { FoundKey } from "./merged-holdings.ts";

const countWidth = 8;
const bytesWidth = 10;

/**
 * Found keys in columns whose widths are known before the keys are, so that a search can show what
 * it has found so far.
 */
export class FoundTable {
  readonly #nodesWidth: number;
  readonly #bucketWidth: number;

  /** @param nodes lists of ids as long as any, and `buckets` all names that may occur. */
  constructor(nodes: readonly (readonly string[])[], buckets: readonly string[]) {
    this.#nodesWidth = Math.max("NODES".length, ...nodes.map((ids) => ids.join(",").length));
    this.#bucketWidth = Math.max("BUCKET".length, ...buckets.map(({ length }) => length));
  }

  get header(): string {
    return this.#line("SIBLINGS", "BYTES", "NODES", "BUCKET", "KEY");
  }

  /** Where copies differ, the most siblings and the most bytes of any. */
  row({ bucket, key, copies }: FoundKey): string {
    const siblings = Math.max(...copies.map((copy) => copy.siblings));
    const bytes = Math.max(...copies.map((copy) => copy.bytes));
    const nodes = copies.map(({ node }) => node).join(",");
    const label = keyLabel(Buffer.from(key, "base64url"));
    return this.#line(String(siblings), String(bytes), nodes, bucket, label);
  }

  #line(siblings: string, bytes: string, ...[nodes, bucket, key]: readonly string[]): string {
    return [
      siblings.padStart(countWidth),
      bytes.padStart(bytesWidth),
      nodes?.padEnd(this.#nodesWidth),
      bucket?.padEnd(this.#bucketWidth),
      key,
    ].join("  ");
  }
}
