import type { CoterieNode, GetOutcome, PutInput, WriteOutcome } from "@coterie/cluster";
import { type NodeId, type WriteId, forever, hex } from "@coterie/core";
import type { ClientOutcome, ClientWrite } from "./history.ts";
import type { SeededRandom } from "./random.ts";
import type { ContendedKey } from "./contended-key.ts";
import { hotKeysUsual } from "./swarm-knobs.ts";
import type { Operation, Workload } from "./workload.ts";

/** How often a write is sent again, at most. */
const retriesMax = 2;
/** Where most operations are deletes, of a thousand. */
const farewellsOfThousand = 600;
/** Contexts that a client remembers of a key. */
const heldMax = 5;

/** A context as a client holds it, and what the client had read when it got it. */
interface HeldContext {
  readonly text: string;
  readonly saw: readonly number[];
  /** True if it belongs to another key. */
  readonly isForeign: boolean;
}

/** A client that has not read anything: it knows nothing. */
/** A node's clock may be slow: by so much more may what a get allows to be old be older. */
const staleSlack = 1.05;
const nothingHeld: HeldContext | undefined = undefined;

interface Begun {
  readonly kind: "put" | "delete";
  readonly held: HeldContext | undefined;
  readonly isStrict: boolean;
  /** How long the value lives. */
  readonly livesMs?: number | undefined;
}

interface DrawnMode {
  readonly isStrict: boolean;
  readonly asked: { readonly strict?: boolean };
}

interface Sent {
  readonly outcome: WriteOutcome | undefined;
  /** True if an attempt before the last one may have done it. */
  readonly wasRetried: boolean;
  /** True if an attempt may still be carried out. */
  readonly lingers: boolean;
}

/** Runs all clients of a workload to their ends. */
export async function runClients(workload: Workload): Promise<void> {
  const clients = Array.from({ length: workload.knobs.clients }, (_, index) =>
    new Client(workload, index + 1).run(),
  );
  for (const client of clients) await client;
}

/**
 * One client: it reads, writes with fresh, old, foreign and no contexts, deletes and retries,
 * through any node, as the knobs of the run say.
 */
class Client {
  readonly #workload: Workload;
  /** From 1: names it in the trace. */
  readonly #number: number;
  readonly #held = new Map<string, HeldContext[]>();

  constructor(workload: Workload, number: number) {
    this.#workload = workload;
    this.#number = number;
  }

  async run(): Promise<void> {
    const { habits } = this.#workload.knobs;
    for (;;) {
      const operation = this.#workload.nextOperation();
      if (operation === undefined) return;
      await this.#workload.lull();
      const { random } = operation;
      const ended = this.#operate(operation);
      if (!random.chance(habits.abandoned)) await ended;
      await this.#workload.sleep(
        random.chance(habits.rests) ? 200 + random.below(1000) : random.below(20),
      );
    }
  }

  #operate(operation: Operation): Promise<void> {
    const { random } = operation;
    const { habits, keys, skew, hotKeys = hotKeysUsual } = this.#workload.knobs;
    const among = random.chance(skew) ? Math.min(hotKeys, keys) : keys;
    const key = this.#workload.keys[random.below(among)];
    if (this.#isFarewell(operation)) return this.#delete(operation, key as ContendedKey);
    const dice = random.below(habits.get + habits.put + habits.delete);
    if (dice < habits.get) return this.#get(operation, key as ContendedKey);
    if (dice < habits.get + habits.put) return this.#put(operation, key as ContendedKey);
    return this.#delete(operation, key as ContendedKey);
  }

  /** Just before clients rest, so that tombstones are reaped, many leave little behind. */
  #isFarewell({ number, random }: Operation): boolean {
    const { operations, reaping } = this.#workload.knobs;
    const left = operations / 2 - number;
    if (left < 0 || left >= (reaping?.farewells ?? 0)) return false;
    return random.chance(farewellsOfThousand);
  }

  async #get(operation: Operation, key: ContendedKey): Promise<void> {
    const { random } = operation;
    const { habits } = this.#workload.knobs;
    const r = random.chance(habits.weakGets) ? 1 : key.bucket.r;
    const mode = this.#drawMode(operation, key);
    const invokedMs = this.#now();
    const { staleGets = 0 } = habits;
    const isStale = staleGets > 0 && random.chance(staleGets);
    const asked = { r, ...mode.asked, ...(isStale && { maxStaleMs: 1 + random.below(1000) }) };
    const outcome = await this.#ask(operation, (node) => node.get(key.place, asked));
    if (outcome?.ok !== true) return;
    // A node's clock may be slow, and the answer may wait on its way.
    const staleMs = (asked.maxStaleMs ?? 0) * staleSlack;
    this.#noteRead(operation, key, outcome, { invokedMs, isStrict: mode.isStrict, staleMs });
  }

  #noteRead(
    operation: Operation,
    key: ContendedKey,
    { siblings, context, acks }: GetOutcome & { readonly ok: true },
    {
      invokedMs,
      isStrict,
      staleMs,
    }: { readonly invokedMs: number; readonly isStrict: boolean; readonly staleMs: number },
  ): void {
    const values = this.#workload.numbersOf(siblings);
    const { n, r, w } = key.bucket;
    const asked = this.#workload.meeting(acks, isStrict);
    if (acks.fallbacks > 0) this.#workload.stoodIn += 1;
    this.#trace(operation, `get of ${key.name} returns [${values.join(", ")}]`);
    const { history, watcher } = this.#workload;
    history.addRead({
      key: key.name,
      values,
      invokedMs,
      settledMs: this.#now(),
      staleMs,
      isStrict: true,
      asked,
      // What a sloppy read found to differ may differ still.
      isRepeatable: isStrict && asked >= r && r + w > n && 2 * r > n,
      context,
    });
    if (context !== undefined) this.#remember(key, context, values);
    // Reads say more than acknowledgements do: what was read must survive as well.
    if (values.some((number) => history.write(number)?.outcome !== "ok")) watcher.noteEarlyRead();
  }

  async #put(operation: Operation, key: ContendedKey): Promise<void> {
    const { random } = operation;
    const { habits, valueBytesMax } = this.#workload.knobs;
    const ifAbsent = random.chance(habits.ifAbsent);
    const held = ifAbsent ? nothingHeld : this.#chooseContext(random, key);
    const mode = this.#drawMode(operation, key);
    const ttlMs = habits.expiring > 0 ? drawLifetime(random, habits.expiring) : undefined;
    const livesMs = ttlMs ?? key.bucket.ttlMs;
    const write = this.#begin(operation, key, {
      kind: "put",
      held,
      isStrict: mode.isStrict,
      livesMs,
    });
    const value = this.#workload.newValue(write.number, random.below(valueBytesMax));
    const isIdentified = random.chance(habits.identified);
    const input: PutInput = {
      value,
      contentType: "",
      context: held?.text,
      writeId: isIdentified ? (hex(random.bytes(16)) as WriteId) : undefined,
      returnBody: random.chance(habits.returnBody),
      ifAbsent,
      ttlMs,
    };
    const sent = await this.#send(operation, isIdentified, (node) =>
      node.put(key.place, input, mode.asked),
    );
    this.#end(operation, write, sent);
    if (sent.outcome?.ok !== true) return;
    if (ifAbsent && !sent.wasRetried && mode.isStrict) this.#noteAbsence(key, write);
    this.#noteWritten(key, write, sent.outcome);
  }

  async #delete(operation: Operation, key: ContendedKey): Promise<void> {
    const { random } = operation;
    const isBlind = random.chance(this.#workload.knobs.habits.blindDeletes);
    const held = isBlind ? nothingHeld : this.#chooseContext(random, key);
    const mode = this.#drawMode(operation, key);
    const write = this.#begin(operation, key, { kind: "delete", held, isStrict: mode.isStrict });
    const sent = await this.#send(operation, true, (node) =>
      node.delete(key.place, held?.text, mode.asked),
    );
    this.#end(operation, write, sent);
  }

  /** Sends a write; one that may safely be repeated is, while its outcome is not known. */
  async #send(
    operation: Operation,
    mayRepeat: boolean,
    story: (node: CoterieNode) => Promise<WriteOutcome>,
  ): Promise<Sent> {
    const { random } = operation;
    const { habits } = this.#workload.knobs;
    let outcome = await this.#ask(operation, story);
    let wasRetried = false;
    let lingers = isOpen(outcome);
    if (outcome?.ok === true) this.#workload.watcher.noteAck();
    for (let retry = 0; retry < retriesMax && mayRepeat; retry += 1) {
      if (outcome?.ok === true && !random.chance(habits.repeated)) break;
      if (random.chance(300)) break;
      await this.#workload.sleep(random.chance(habits.late) ? random.below(4000) : 10);
      wasRetried = true;
      const again = await this.#ask(operation, story);
      lingers ||= isOpen(again);
      if (outcome?.ok !== true) outcome = again ?? outcome;
    }
    return { outcome, wasRetried, lingers };
  }

  #begin(
    operation: Operation,
    key: ContendedKey,
    { kind, held, isStrict, livesMs }: Begun,
  ): ClientWrite {
    const { history } = this.#workload;
    const write: ClientWrite = {
      number: history.writes.length,
      key: key.name,
      kind,
      saw: held?.saw ?? [],
      isBlindDelete: kind === "delete" && held === undefined,
      isForeign: held?.isForeign === true,
      mayComeLate: true,
      ttlMs: livesMs === forever ? undefined : livesMs,
      invokedMs: this.#now(),
      settledMs: Number.POSITIVE_INFINITY,
      outcome: "unknown",
      context: undefined,
      // Of the primaries that a sloppy delete has read nothing is known.
      ...(!isStrict && { asked: 0 }),
    };
    history.addWrite(write);
    const over = held === undefined ? "blindly" : `having read [${write.saw.join(", ")}]`;
    const until = livesMs === undefined ? "" : `, for ${livesMs} ms`;
    this.#trace(operation, `${kind} ${write.number} of ${key.name} ${over}${until}`);
    return write;
  }

  /** After retries a refusal says nothing of the attempts before it. */
  #end(operation: Operation, write: ClientWrite, { outcome, wasRetried, lingers }: Sent): void {
    const answer = outcome === undefined ? "no answer" : outcome.ok ? "ok" : outcome.code;
    this.#trace(operation, `${write.kind} ${write.number} of ${write.key} ends: ${answer}`);
    if (outcome === undefined) return;
    write.mayComeLate = wasRetried || !outcome.ok;
    write.lingers = lingers;
    const verdict: ClientOutcome = outcome.ok ? "ok" : outcome.outcome;
    write.outcome = verdict === "refused" && wasRetried ? "unknown" : verdict;
    write.settledMs = this.#now();
    const isStrict = write.asked !== 0;
    if (outcome.ok) write.holders = this.#workload.holdersOf(outcome.acks, isStrict);
  }

  #noteWritten(
    key: ContendedKey,
    write: ClientWrite,
    { context, body }: WriteOutcome & { readonly ok: true },
  ): void {
    if (context !== undefined) {
      write.context = context;
      this.#remember(key, context, [write.number, ...write.saw]);
    }
    if (body === undefined) return;
    this.#workload.history.addRead({
      key: key.name,
      values: this.#workload.numbersOf(body),
      invokedMs: write.invokedMs,
      settledMs: write.settledMs,
      isStrict: false,
      isRepeatable: false,
      context: undefined,
    });
  }

  /** A put that was to find nothing has read, and found nothing. */
  #noteAbsence({ name, bucket }: ContendedKey, { invokedMs, settledMs }: ClientWrite): void {
    this.#workload.history.addRead({
      key: name,
      values: [],
      invokedMs,
      settledMs,
      isStrict: true,
      asked: bucket.r,
      isRepeatable: false,
      context: undefined,
    });
  }

  /** The bucket's mode, or now and then the other one; drawn apart from all else. */
  #drawMode({ random }: Operation, { bucket }: ContendedKey): DrawnMode {
    const isUsual = !random.fork("mode").chance(this.#workload.knobs.habits.otherMode ?? 0);
    const isStrict = (bucket.mode !== "sloppy") === isUsual;
    return { isStrict, asked: isUsual ? {} : { strict: isStrict } };
  }

  /** The newest context mostly; sometimes an old one, one of another key, or none. */
  #chooseContext(random: SeededRandom, key: ContendedKey): HeldContext | undefined {
    const { habits, keys } = this.#workload.knobs;
    const dice = random.below(1000);
    const isStale = random.chance(habits.stale);
    const at = random.below(heldMax);
    const other = this.#workload.keys[random.below(keys)];
    if (dice < habits.foreign && other !== undefined && other !== key) {
      const foreign = this.#held.get(other.name)?.at(-1);
      if (foreign !== undefined) return { ...foreign, saw: [], isForeign: true };
    }
    if (dice < habits.foreign + habits.blind) return undefined;
    const held = this.#held.get(key.name) ?? [];
    return isStale ? held[at % Math.max(1, held.length)] : held.at(-1);
  }

  #remember(key: ContendedKey, text: string, saw: readonly number[]): void {
    const held = this.#held.get(key.name) ?? [];
    held.push({ text, saw, isForeign: false });
    if (held.length > heldMax) held.shift();
    this.#held.set(key.name, held);
  }

  #ask<Answer>(
    operation: Operation,
    story: (node: CoterieNode) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { ids } = this.#workload.cluster;
    const id = ids[operation.random.below(ids.length)] as NodeId;
    this.#trace(operation, `asks ${id}`);
    return this.#workload.ask(id, story);
  }

  #trace({ number }: Operation, line: string): void {
    this.#workload.cluster.world.trace(`client ${this.#number}, operation ${number}: ${line}`);
  }

  #now(): number {
    return this.#workload.cluster.world.nowMs;
  }
}

/** Nobody has said what came of it, so it may yet come. */
function isOpen(outcome: WriteOutcome | undefined): boolean {
  return outcome === undefined || (!outcome.ok && outcome.outcome === "unknown");
}

/** How long a put asks for: moments or seconds, mostly; or longer than any run, or for ever. */
function drawLifetime(random: SeededRandom, expiring: number): number | undefined {
  const isMortal = random.chance(expiring);
  const longest = [100, 1000, 1000, 5000, 20_000][random.below(8)];
  if (!isMortal) return undefined;
  return longest === undefined
    ? random.chance(500)
      ? 3_600_000
      : forever
    : 1 + random.below(longest);
}
