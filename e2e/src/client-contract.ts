import assert from "node:assert/strict";
import { Context, CoterieError, type CoterieClient, type Read, json, text } from "@coterie/client";

/** One promise of a client to its user, kept by the real one and by the fake alike. */
export interface ClientPromise {
  readonly promise: string;
  /** Keys begin with `scope`, so that promises do not meet. */
  readonly run: (coterie: CoterieClient, scope: string) => Promise<void>;
}

const decoder = new TextDecoder();

/** The values of a read as text, sorted. */
function textsOf(read: Read<Uint8Array>): readonly string[] {
  if (read.kind === "absent") return [];
  const values = read.kind === "value" ? [read.value] : read.values;
  return values.map((value) => decoder.decode(value)).toSorted();
}

function hasCode(code: string, outcome?: "refused" | "unknown"): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof CoterieError, `a CoterieError, not ${String(error)}`);
    assert.equal(error.code, code);
    if (outcome !== undefined) assert.equal(error.outcome, outcome);
    return true;
  };
}

const reading: readonly ClientPromise[] = [
  {
    promise: "a key that was never written is absent, and that is no failure",
    run: async (coterie, scope) => {
      const read = await coterie.get(`${scope}never`);
      assert.equal(read.kind, "absent");
      assert.equal(read.context, undefined);
    },
  },
  {
    promise: "a value is read back, with its type, its name and its time",
    run: async (coterie, scope) => {
      const put = await coterie.put(`${scope}k`, "hello", { contentType: "text/plain" });
      assert.equal(put.siblings, 1);
      assert.ok(put.context instanceof Context);
      assert.ok(put.acks.primaries >= put.acks.required);
      const read = await coterie.get(`${scope}k`);
      assert.equal(read.kind, "value");
      assert.equal(decoder.decode(read.value), "hello");
      assert.equal(read.contentType, "text/plain");
      assert.match(read.dot, /^[0-9a-f]{16}:\d+$/u);
      assert.ok(Math.abs(read.writtenAt.getTime() - Date.now()) < 60_000);
    },
  },
  {
    promise: "keys and values are bytes",
    run: async (coterie, scope) => {
      const key = Uint8Array.of(...new TextEncoder().encode(scope), 0, 255, 47, 46, 46);
      const value = Uint8Array.from({ length: 256 }, (_, at) => at);
      await coterie.put(key, value);
      const read = await coterie.get(key);
      assert.equal(read.kind, "value");
      assert.deepEqual([...read.value], [...value]);
      await coterie.put(`${scope}empty`, "");
      const empty = await coterie.get(`${scope}empty`);
      assert.equal(empty.kind === "value" && empty.value.length, 0);
    },
  },
];

const causality: readonly ClientPromise[] = [
  {
    promise: "a put with the context of a read replaces what was read",
    run: async (coterie, scope) => {
      await coterie.put(`${scope}k`, "1");
      const { context } = await coterie.get(`${scope}k`);
      assert.ok(context !== undefined);
      const put = await coterie.put(`${scope}k`, "2", { context });
      await coterie.put(`${scope}k`, "3", { context: put.context });
      assert.deepEqual(textsOf(await coterie.get(`${scope}k`)), ["3"]);
    },
  },
  {
    promise: "puts that know nothing of each other become siblings, until one replaces both",
    run: async (coterie, scope) => {
      await coterie.put(`${scope}k`, "milk");
      const second = await coterie.put(`${scope}k`, "bread");
      assert.equal(second.siblings, 2);
      assert.equal(second.context, undefined);
      const read = await coterie.get(`${scope}k`);
      assert.equal(read.kind, "siblings");
      assert.deepEqual(textsOf(read), ["bread", "milk"]);
      assert.equal(read.siblings.length, 2);
      const both = await coterie.put(`${scope}k`, "milk, bread", { context: read.context });
      assert.equal(both.siblings, 1);
      assert.deepEqual(textsOf(await coterie.get(`${scope}k`)), ["milk, bread"]);
    },
  },
  {
    promise: "a context survives as text, and belongs to its key",
    run: async (coterie, scope) => {
      const { context } = await coterie.put(`${scope}k`, "1");
      const kept = Context.parse(JSON.parse(JSON.stringify({ context })).context);
      await coterie.put(`${scope}k`, "2", { context: kept });
      assert.deepEqual(textsOf(await coterie.get(`${scope}k`)), ["2"]);
      const elsewhere = coterie.put(`${scope}other`, "x", { context: kept });
      await assert.rejects(elsewhere, hasCode("bad-context", "refused"));
      assert.throws(() => Context.parse("not a context!"), hasCode("bad-context"));
    },
  },
  {
    promise: "a delete removes what its context covers, and nothing that was written meanwhile",
    run: async (coterie, scope) => {
      const { context } = await coterie.put(`${scope}k`, "old");
      await coterie.put(`${scope}k`, "new");
      await coterie.delete(`${scope}k`, { context });
      assert.deepEqual(textsOf(await coterie.get(`${scope}k`)), ["new"]);
      await coterie.delete(`${scope}k`);
      const read = await coterie.get(`${scope}k`);
      assert.equal(read.kind, "absent");
      assert.ok(read.context instanceof Context);
      const again = await coterie.put(`${scope}k`, "born again", { context: read.context });
      assert.equal(again.siblings, 1);
    },
  },
  {
    promise: "a value that has expired is absent, and says before when it will",
    run: async (coterie, scope) => {
      const expiresAt = new Date(Date.now() + 3_600_000);
      await coterie.put(`${scope}until`, "v", { expiresAt });
      const until = await coterie.get(`${scope}until`);
      assert.ok(until.kind === "value" && until.expiresAt?.getTime() === expiresAt.getTime());
      await coterie.put(`${scope}brief`, "v", { ttlMs: 3_600_000 });
      const brief = await coterie.get(`${scope}brief`);
      assert.ok(brief.kind === "value" && brief.expiresAt !== undefined);
      await coterie.put(`${scope}past`, "v", { expiresAt: new Date(1) });
      const past = await coterie.get(`${scope}past`);
      assert.equal(past.kind, "absent");
      const after = await coterie.put(`${scope}past`, "new", { context: past.context });
      assert.equal(after.siblings, 1);
      const stays = await coterie.get(`${scope}past`);
      assert.ok(stays.kind === "value" && stays.expiresAt === undefined);
      const never = coterie.put(`${scope}k`, "v", { ttlMs: 0 });
      await assert.rejects(never, hasCode("bad-request"));
    },
  },
  {
    promise: "a key is created once",
    run: async (coterie, scope) => {
      await coterie.put(`${scope}k`, "first", { ifAbsent: true });
      const second = coterie.put(`${scope}k`, "second", { ifAbsent: true });
      await assert.rejects(second, hasCode("precondition-failed", "refused"));
      assert.deepEqual(textsOf(await coterie.get(`${scope}k`)), ["first"]);
    },
  },
];

const updating: readonly ClientPromise[] = [
  {
    promise: "an update gets every sibling, and replaces them all",
    run: async (coterie, scope) => {
      const texts = coterie.bucket(coterie.name, { codec: text });
      await texts.put(`${scope}k`, "a");
      await texts.put(`${scope}k`, "b");
      const result = await texts.update(`${scope}k`, (values) => values.toSorted().join("+"));
      assert.equal(result.value, "a+b");
      const read = await texts.get(`${scope}k`);
      assert.equal(read.kind === "value" && read.value, "a+b");
    },
  },
  {
    promise: "concurrent updates of one key lose nothing",
    run: async (coterie, scope) => {
      const sets = coterie.bucket(coterie.name, { codec: json });
      const add = (item: number): Promise<unknown> =>
        sets.update(`${scope}set`, (values) => [...values.flat(), item], {
          timeoutMs: 30_000,
          roundsMax: 100,
        });
      await Promise.all([1, 2, 3, 4, 5, 6].map(add));
      const read = await sets.get(`${scope}set`);
      const items = read.kind === "value" ? read.value : [];
      assert.deepEqual(new Set(items as number[]), new Set([1, 2, 3, 4, 5, 6]));
    },
  },
  {
    promise: "an update may delete, and is told when nothing is there",
    run: async (coterie, scope) => {
      const seen: number[] = [];
      const nothing = await coterie.update(`${scope}k`, (values) => {
        seen.push(values.length);
        return undefined;
      });
      assert.deepEqual([seen, nothing.value, nothing.rounds], [[0], undefined, 1]);
      await coterie.put(`${scope}k`, "x");
      await coterie.update(`${scope}k`, () => undefined);
      assert.equal((await coterie.get(`${scope}k`)).kind, "absent");
    },
  },
  {
    promise: "what a resolver throws is what the update rejects with, and nothing is written",
    run: async (coterie, scope) => {
      const reason = new Error("no");
      const update = coterie.update(`${scope}k`, () => {
        throw reason;
      });
      await assert.rejects(update, reason);
      assert.equal((await coterie.get(`${scope}k`)).kind, "absent");
    },
  },
];

const many: readonly ClientPromise[] = [
  {
    promise: "each operation of a batch has its own end, in their order",
    run: async (coterie, scope) => {
      await coterie.put(`${scope}there`, "1");
      const results = await coterie.batch([
        { kind: "get", key: `${scope}there` },
        { kind: "put", key: `${scope}new`, value: "2" },
        { kind: "put", key: "", value: "a key has at least one byte" },
        { kind: "put", key: `${scope}there`, value: "3", ifAbsent: true },
        { kind: "delete", key: `${scope}gone` },
      ]);
      assert.deepEqual(
        results.map(({ ok, kind }) => [ok, kind]),
        [
          [true, "get"],
          [true, "put"],
          [false, "put"],
          [false, "put"],
          [true, "delete"],
        ],
      );
      const refused = results.flatMap((result) => (result.ok ? [] : [result.error]));
      assert.ok(hasCode("bad-request")(refused[0]));
      assert.ok(hasCode("precondition-failed")(refused[1]));
    },
  },
  {
    promise: "a batch of thousands is carried out whole",
    run: async (coterie, scope) => {
      const keys = Array.from({ length: 3000 }, (_, at) => `${scope}${at}`);
      const puts = await coterie.batch(
        keys.map((key) => ({ kind: "put" as const, key, value: key, timeoutMs: 30_000 })),
      );
      assert.equal(puts.filter(({ ok }) => ok).length, keys.length);
      const gets = await coterie.batch(keys.map((key) => ({ kind: "get" as const, key })));
      const values = gets.map((got) => (got.ok && got.kind === "get" ? textsOf(got.result) : []));
      assert.deepEqual(values.flat(), keys);
    },
  },
  {
    promise: "a scan meets every key with its prefix once, page by page, and none that is deleted",
    run: async (coterie, scope) => {
      const keys = Array.from({ length: 55 }, (_, at) => `${scope}${at}`);
      await coterie.batch(keys.map((key) => ({ kind: "put" as const, key, value: "12345" })));
      await coterie.delete(`${scope}7`);
      const met: string[] = [];
      for await (const entry of coterie.scan({ prefix: scope, pageSize: 10 })) {
        assert.deepEqual([entry.siblings, entry.bytes], [1, 5]);
        assert.ok(entry.context instanceof Context);
        met.push(entry.text);
      }
      assert.deepEqual(met.toSorted(), keys.filter((key) => key !== `${scope}7`).toSorted());
      const withDeleted: string[] = [];
      for await (const entry of coterie.scan({ prefix: scope, tombstones: true })) {
        withDeleted.push(entry.text);
      }
      assert.deepEqual(withDeleted.toSorted(), keys.toSorted());
    },
  },
  {
    promise: "a scan continues from a cursor, and can be left early",
    run: async (coterie, scope) => {
      const keys = Array.from({ length: 30 }, (_, at) => `${scope}${at}`);
      await coterie.batch(keys.map((key) => ({ kind: "put" as const, key, value: "x" })));
      const met: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await coterie.scanPage({ prefix: scope, pageSize: 7, cursor });
        met.push(...page.entries.map((entry) => entry.text));
        ({ cursor } = page);
      } while (cursor !== undefined);
      assert.deepEqual(met.toSorted(), keys.toSorted());
      for await (const entry of coterie.scan({ prefix: scope })) {
        assert.ok(entry.text.startsWith(scope));
        break;
      }
    },
  },
];

const failing: readonly ClientPromise[] = [
  {
    promise: "what is wrong with a request is said, typed, and nothing happened",
    run: async (coterie, scope) => {
      await assert.rejects(coterie.get(""), hasCode("bad-request", "refused"));
      await assert.rejects(coterie.get("k".repeat(2049)), hasCode("bad-request"));
      await assert.rejects(coterie.get(`${scope}k`, { r: 99 }), hasCode("bad-request"));
      await assert.rejects(coterie.get(`${scope}k`, { r: 1.5 }), hasCode("bad-request"));
      const tooLarge = new Uint8Array(8 * 1024 * 1024 + 1);
      await assert.rejects(coterie.put(`${scope}k`, tooLarge), hasCode("too-large", "refused"));
      const nowhere = coterie.bucket("no-such-bucket-here");
      await assert.rejects(nowhere.get("k"), hasCode("no-such-bucket"));
      assert.throws(() => coterie.bucket("No Bucket"), hasCode("bad-request"));
    },
  },
  {
    promise: "values that a codec cannot convert are refused both ways",
    run: async (coterie, scope) => {
      const documents = coterie.bucket(coterie.name, { codec: json });
      await assert.rejects(
        documents.put(`${scope}k`, () => 1),
        hasCode("invalid-value", "refused"),
      );
      await coterie.put(`${scope}k`, "{ not json");
      await assert.rejects(documents.get(`${scope}k`), hasCode("invalid-value"));
    },
  },
  {
    promise: "an aborted operation rejects with the reason of its signal",
    run: async (coterie, scope) => {
      const controller = new AbortController();
      const { signal } = controller;
      const puts = Array.from({ length: 20 }, (_, at) =>
        coterie.put(`${scope}${at}`, "x", { signal }),
      );
      controller.abort();
      for (const result of await Promise.allSettled(puts)) {
        assert.equal(result.status === "rejected" && result.reason, signal.reason);
      }
    },
  },
  {
    promise: "large values pass",
    run: async (coterie, scope) => {
      const value = Uint8Array.from({ length: 4 * 1024 * 1024 }, (_, at) => at % 251);
      await coterie.put(`${scope}large`, value, { timeoutMs: 30_000 });
      const read = await coterie.get(`${scope}large`, { timeoutMs: 30_000 });
      assert.ok(read.kind === "value" && Buffer.compare(read.value, value) === 0);
    },
  },
];

/** Everything a client promises, whatever it speaks with. */
export const clientPromises: readonly ClientPromise[] = [
  ...reading,
  ...causality,
  ...updating,
  ...many,
  ...failing,
];
