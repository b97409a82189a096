import {
  headerText,
  isAbsent,
  keyExchanges,
  keyStateOf,
  newWriteId,
  type KeyState,
} from "../http/bucket-client.ts";
import type { Reply } from "../http/exchange.ts";
import { keyLabel } from "../http/keys.ts";
import { type Entry, type EntryValue, neverExpires } from "./entry.ts";
import { transferFailure, type PatientSender } from "./patient-sender.ts";

/**
 * `replace`: the key holds what the line says, whatever it held before. `sibling`: what the line
 * says stands beside what is there.
 */
export type ImportMode = "replace" | "sibling";

/** Makes keys hold what entries say, and leaves those alone that already do. */
export class EntryWriter {
  readonly #sender: PatientSender;
  readonly #exchanges: ReturnType<typeof keyExchanges>;
  readonly #mode: ImportMode;

  constructor(sender: PatientSender, bucket: string, mode: ImportMode) {
    this.#sender = sender;
    this.#exchanges = keyExchanges(bucket, {});
    this.#mode = mode;
  }

  /**
   * Settles when the entry is stored; says whether anything had to be written. Values that have
   * expired since they were exported are left out.
   */
  async apply({ key, values }: Entry): Promise<"written" | "unchanged"> {
    const nowMs = Date.now();
    const alive = values.filter(
      ({ expiresAt = neverExpires }) => expiresAt === neverExpires || Date.parse(expiresAt) > nowMs,
    );
    if (alive.length === 0 && values.length > 0) return "unchanged";
    const entry = { key, values: alive };
    const [only] = alive;
    if (only === undefined) return this.#remember(key);
    if (alive.length === 1 && this.#mode === "replace") {
      return this.#replace(entry.key, only);
    }
    return this.#makeSiblings(entry);
  }

  /** The common case reads the raw value: nothing is decoded that is only compared. */
  async #replace(key: Buffer, input: EntryValue): Promise<"written" | "unchanged"> {
    const what = `reading ${keyLabel(key)}`;
    const reply = await this.#sender.send(what, this.#exchanges.read(key));
    if (reply.status !== 200 && reply.status !== 300 && !isAbsent(reply)) {
      throw transferFailure(what, reply);
    }
    const held = {
      value: reply.body,
      contentType: headerText(reply, "content-type") ?? "",
      expiresAt: headerText(reply, "coterie-expires-at") ?? neverExpires,
    };
    if (reply.status === 200 && isSame(input, held)) return "unchanged";
    await this.#put(key, input, headerText(reply, "coterie-context"));
    return "written";
  }

  async #makeSiblings({ key, values }: Entry): Promise<"written" | "unchanged"> {
    const { context, siblings } = await this.#readAll(key);
    const held = siblings.map(({ value, contentType, expiresAt = neverExpires }) => ({
      value,
      contentType,
      expiresAt,
    }));
    const missing = without(values, held);
    const foreign = without(held, values);
    if (missing.length === 0 && (foreign.length === 0 || this.#mode === "sibling")) {
      return "unchanged";
    }
    if (foreign.length === 0 || this.#mode === "sibling") {
      for (const value of missing) await this.#put(key, value, undefined);
      return "written";
    }
    // The first write takes the place of all there is; the others then stand beside it.
    for (const [index, value] of values.entries()) {
      await this.#put(key, value, index === 0 ? context : undefined);
    }
    return "written";
  }

  /** Makes the key a deleted one, which a key that never was is not. */
  async #remember(key: Buffer): Promise<"written" | "unchanged"> {
    const { context, siblings } = await this.#readAll(key);
    if (siblings.length === 0 && context !== undefined) return "unchanged";
    if (siblings.length > 0) {
      if (this.#mode === "sibling") return "unchanged";
      await this.#delete(key, context);
      return "written";
    }
    const empty = { value: Buffer.alloc(0), contentType: "application/octet-stream" };
    await this.#delete(key, await this.#put(key, empty, undefined));
    return "written";
  }

  async #readAll(key: Buffer): Promise<KeyState> {
    const what = `reading ${keyLabel(key)}`;
    const reply = await this.#sender.send(what, this.#exchanges.readAll(key));
    if (reply.status === 200 || reply.status === 300) return keyStateOf(reply);
    if (!isAbsent(reply)) throw transferFailure(what, reply);
    return { context: headerText(reply, "coterie-context"), siblings: [] };
  }

  async #put(
    key: Buffer,
    { value, contentType, expiresAt }: EntryValue,
    context: string | undefined,
  ): Promise<string | undefined> {
    const lifetime = expiresAt === neverExpires ? { ttl: neverExpires } : { expiresAt };
    const input = { value, contentType, context, writeId: newWriteId(), ...lifetime };
    const reply = await this.#write(`writing ${keyLabel(key)}`, this.#exchanges.put(key, input));
    return headerText(reply, "coterie-context");
  }

  async #delete(key: Buffer, context: string | undefined): Promise<void> {
    const request = this.#exchanges.delete(key, context, newWriteId());
    await this.#write(`deleting ${keyLabel(key)}`, request);
  }

  async #write(what: string, request: Parameters<PatientSender["send"]>[1]): Promise<Reply> {
    const reply = await this.#sender.send(what, request);
    if (reply.status >= 300) throw transferFailure(what, reply);
    return reply;
  }
}

function isSame(left: EntryValue, right: EntryValue): boolean {
  return (
    left.contentType === right.contentType &&
    hasSameEnd(left.expiresAt, right.expiresAt) &&
    left.value.equals(right.value)
  );
}

/** Of a line, which may leave it to the bucket, and of a value that is held. */
function hasSameEnd(left: string | undefined, right: string | undefined): boolean {
  if (left === undefined || right === undefined) return true;
  return left === right || Date.parse(left) === Date.parse(right);
}

/** The values of `left` that `right` has no equal for, each equal used once. */
function without<Value extends EntryValue>(
  left: readonly Value[],
  right: readonly EntryValue[],
): readonly Value[] {
  const unused = [...right];
  return left.filter((value) => {
    const at = unused.findIndex((other) => isSame(value, other));
    if (at === -1) return true;
    unused.splice(at, 1);
    return false;
  });
}
