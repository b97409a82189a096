import { ByteBudget } from "../byte-budget.ts";

/** What the HTTP door holds and counts besides its requests; read by metrics. */
export class HttpStatistics {
  /** Bytes of requests that are being read, all connections together. */
  readonly bodies: ByteBudget;
  /** Bytes of answers that clients have not taken, all connections together. */
  readonly unread: ByteBudget;
  /** Lines of batches that were answered, by status. */
  readonly batchLines: Map<number, number> = new Map();

  constructor(limits: { readonly bodyBytesMax: number; readonly unreadBytesMax: number }) {
    this.bodies = new ByteBudget(limits.bodyBytesMax);
    this.unread = new ByteBudget(limits.unreadBytesMax);
  }

  countLine(status: number): void {
    this.batchLines.set(status, (this.batchLines.get(status) ?? 0) + 1);
  }
}
