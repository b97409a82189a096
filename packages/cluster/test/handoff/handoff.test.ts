import {
  DeadWrites,
  type ActorId,
  HybridClock,
  type NodeId,
  type PeerAddress,
  Ring,
  VersionVector,
  encodeRecord,
  utf8,
} from "@coterie/core";
import type { Disk } from "@coterie/ports";
import { SimClock } from "@coterie/sim";
import type { RecordStore, StoredRecord } from "@coterie/storage";
import { expect, it } from "vitest";
import type { Debt, Owed, Payer, PaymentOutcome } from "../../src/handoff/debt.ts";
import { Handoff } from "../../src/handoff/handoff.ts";
import type { HandoffEvent } from "../../src/handoff/handoff-view.ts";
import type { HintBook } from "../../src/index.ts";
import { FenceTable } from "../../src/reaping/fence-table.ts";
import { Replica } from "../../src/replica/replica.ts";
import { SmallCluster, address, node } from "../small-cluster.ts";

const actor = "00000000000000aa" as ActorId;

function recordOf(key: string): StoredRecord {
  const dot = { actor, counter: 1 };
  const sibling = {
    dots: [dot],
    value: utf8(key),
    contentType: "",
    writtenAt: { wallMs: 1, logical: 0 },
    writeId: undefined,
    expiresAtMs: undefined,
  };
  const record = {
    clock: VersionVector.of([dot]),
    siblings: [sibling],
    deadWrites: DeadWrites.none,
  };
  return { record, bytes: encodeRecord({ bucket: "default", key: utf8(key) }, record) };
}

/** Records owed to n2, paid in order. */
class ListedDebt implements Debt {
  readonly target = node(2);
  readonly kind = "hints";
  readonly #replica: Replica;
  readonly #left: Set<string>;
  #underWay = 0;
  mostUnderWay = 0;

  constructor(replica: Replica, keys: readonly string[]) {
    this.#replica = replica;
    this.#left = new Set(keys);
  }

  add(key: string): void {
    this.#left.add(key);
  }

  owed(): Owed {
    return { records: this.#left.size, bytes: undefined, dirtyPartitions: 0 };
  }

  async pay(payer: Payer): Promise<PaymentOutcome> {
    for (const key of this.#left) {
      if (!(await payer.ready())) break;
      this.#underWay += 1;
      this.mostUnderWay = Math.max(this.mostUnderWay, this.#underWay);
      const placed = this.#replica.place({ bucket: "default", key: utf8(key) });
      payer.send(placed, recordOf(key), (isPaid) => {
        this.#underWay -= 1;
        if (isPaid) this.#left.delete(key);
      });
    }
    return payer.finish();
  }
}

/** Somebody outside a small cluster who owes records to its node n2, and no more than that. */
async function debtor({ bytesPerSecond = 1 << 23, isBusy = false, slowdown = 1 } = {}): Promise<{
  readonly small: SmallCluster;
  readonly handoff: Handoff;
  readonly events: HandoffEvent[];
  readonly owe: (keys: readonly string[]) => ListedDebt;
}> {
  const small = await SmallCluster.start();
  const clock = new SimClock(small.world);
  const document = small.at(1).document();
  if (document === undefined) throw new Error("the cluster has not formed");
  const ring = new Ring(document);
  const self = "debtor" as NodeId;
  const place = "debtor" as PeerAddress;
  const network = small.cluster.network.register(place, clock, () => undefined);
  const store = {} as RecordStore;
  const hints = {} as HintBook;
  const fences = new FenceTable({
    disk: {} as Disk,
    partitions: 8,
    loaded: [],
    onFatal: () => undefined,
  });
  const shared = { self, clock, fences, ring: () => ring };
  const gained = { mayTake: () => true };
  const hybridClock = new HybridClock();
  const replica = new Replica({ ...shared, gained, store, hints, hybridClock });
  const events: HandoffEvent[] = [];
  const handoff = new Handoff({
    ...shared,
    network,
    replica,
    bytesPerSecond,
    isBusy: () => isBusy,
    pressure: { restMs: (ms) => ms * slowdown },
    onEvent: (event) => events.push(event),
  });
  const owe = (keys: readonly string[]): ListedDebt => {
    const debt = new ListedDebt(replica, keys);
    handoff.owe(debt);
    return debt;
  };
  return { small, handoff, events, owe };
}

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `key-${index}`);
}

it("pays all that is owed once the target is there, many records at a time", async () => {
  const { small, handoff, events, owe } = await debtor();
  const debt = owe(names(300));
  await small.pass(150);
  handoff.wake(node(2));
  while (!handoff.isIdle) await small.pass(10);
  expect(debt.mostUnderWay).toBe(256);
  expect(await small.own(2, "key-299")).toEqual(["key-299"]);
  expect(handoff.counts.paid).toEqual({ missed: 0, hints: 300 });
  expect(events).toMatchObject([{ kind: "paid", target: "n2", records: 300 }]);
});

it("begins by itself after a while, and by an answer of the target", async () => {
  const { small, handoff, owe } = await debtor();
  owe(["lonely"]);
  while (!handoff.isIdle) await small.pass(10);
  small.cluster.network.cut("debtor" as PeerAddress, address(2), "refusing");
  owe(["late"]);
  await small.pass(30_000);
  const { failed } = handoff.counts;
  const before = failed.hints;
  small.cluster.network.heal();
  handoff.noteAnswer(node(2));
  await small.pass(50);
  expect([before > 0, failed.hints, handoff.isIdle]).toEqual([true, before, true]);
});

it("stops at the first failure, loses nothing, and goes on with the next event", async () => {
  const { small, handoff, owe } = await debtor();
  small.crash(2);
  const debt = owe(names(50));
  await small.pass(20_000);
  // One record at a time asks whether the target is there, and ever more rarely.
  expect(debt.mostUnderWay).toBe(1);
  expect(handoff.counts.failed.hints).toBeLessThan(10);
  expect(handoff.view().debts).toMatchObject([
    { target: "n2", kind: "hints", records: 50, state: "waiting", recordsPerSecond: 0 },
  ]);
  await small.restart(2);
  handoff.wake(node(2));
  await small.pass(200);
  expect(handoff.isIdle).toBe(true);
  expect(await small.own(2, "key-49")).toEqual(["key-49"]);
});

it("keeps to its rate, to a quarter of it while clients come first, to nothing at 0", async () => {
  const paidAfterASecond = async (given: Parameters<typeof debtor>[0]): Promise<number> => {
    const { small, handoff, owe } = await debtor(given);
    owe(names(1000));
    await small.pass(150);
    handoff.wake(node(2));
    await small.pass(1000);
    return handoff.counts.bytes;
  };
  const bytesPerSecond = 20_000;
  const usual = await paidAfterASecond({ bytesPerSecond });
  const yielding = await paidAfterASecond({ bytesPerSecond, isBusy: true });
  expect(usual).toBeGreaterThan(15_000);
  expect(usual).toBeLessThan(21_000);
  expect(yielding).toBeGreaterThan(3000);
  expect(yielding).toBeLessThan(6500);
  expect(await paidAfterASecond({ bytesPerSecond: 0 })).toBe(0);
});

it("sends fewer small records the busier the node is, however few bytes they are", async () => {
  const paidInASecond = async (given: Parameters<typeof debtor>[0]): Promise<number> => {
    const { small, handoff, owe } = await debtor({ bytesPerSecond: 1 << 26, ...given });
    owe(names(4000));
    await small.pass(150);
    handoff.wake(node(2));
    await small.pass(1000);
    return handoff.counts.paid.hints;
  };
  expect(await paidInASecond({})).toBe(4000);
  expect(await paidInASecond({ isBusy: true })).toBeGreaterThan(3000);
  const atTheBusiest = await paidInASecond({ isBusy: true, slowdown: 8 });
  expect(atTheBusiest).toBeGreaterThan(900);
  expect(atTheBusiest).toBeLessThan(1200);
});

it("pays what came while it was paying, and ends in order when it is stopped", async () => {
  const { small, handoff, owe } = await debtor({ bytesPerSecond: 20_000 });
  const debt = owe(names(200));
  await small.pass(150);
  handoff.wake(node(2));
  await small.pass(100);
  debt.add("another");
  expect(handoff.view().debts).toMatchObject([{ state: "delivering" }]);
  await small.until(handoff.stop());
  const { paid } = handoff.counts;
  const before = paid.hints;
  await small.pass(60_000);
  expect([paid.hints, before > 0, debt.owed().records]).toEqual([before, true, 201 - before]);
});
