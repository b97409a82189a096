import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PendingCalls } from "../../src/adapters/peer-network/pending-calls.ts";

function callOf(id: number, deadline: number = 0, bytes: number = 1) {
  return { id, deadline, bytes, message: 0, settle: () => {} };
}

describe("calls that wait", () => {
  it("are found by their ids, each once, whatever comes and goes", () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant("add" as const), count: fc.integer({ min: 1, max: 300 }) }),
        fc.record({ kind: fc.constant("take" as const), pick: fc.nat() }),
        fc.record({ kind: fc.constant("expire" as const), deadline: fc.nat({ max: 100 }) }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 0xffff_ffff }), (all, lastId) => {
        const pending = new PendingCalls(lastId);
        const model = new Map<number, number>();
        let added = 0;
        for (const step of all) {
          if (step.kind === "add") {
            for (let count = 0; count < step.count; count++) {
              const id = pending.nextId();
              expect(model.has(id)).toBe(false);
              pending.add(callOf(id, added % 101));
              model.set(id, added % 101);
              added++;
            }
          } else if (step.kind === "take") {
            const id = [...model.keys()][step.pick % Math.max(1, model.size)] ?? step.pick;
            expect(pending.take(id)?.id).toBe(model.has(id) ? id : undefined);
            model.delete(id);
            expect(pending.take(id)).toBe(undefined);
          } else {
            const expired = pending.takeExpired(step.deadline).map(({ id }) => id);
            const due = [...model].filter(([, deadline]) => deadline <= step.deadline);
            expect(new Set(expired)).toEqual(new Set(due.map(([id]) => id)));
            expect(expired).toHaveLength(due.length);
            for (const [id] of due) model.delete(id);
          }
          expect([pending.count, pending.bytes]).toEqual([model.size, model.size]);
          expect(pending.earliestDeadline()).toBe(Math.min(...model.values()));
        }
        expect(pending.takeAll().map(({ id }) => id)).toHaveLength(model.size);
        expect([pending.count, pending.bytes]).toEqual([0, 0]);
      }),
      { numRuns: 50 },
    );
  });

  it("an answer to a call that was given up finds nobody, though its slot is taken again", () => {
    const pending = new PendingCalls();
    const first = pending.nextId();
    pending.add(callOf(first));
    pending.take(first);
    for (let count = 0; count < 1000; count++) {
      const id = pending.nextId();
      pending.add(callOf(id));
      expect(pending.take(first)).toBe(undefined);
      pending.take(id);
    }
  });

  it("ids wrap at 2^32, past a call that still waits", () => {
    const pending = new PendingCalls(0xffff_fffe);
    expect(pending.nextId()).toBe(0xffff_ffff);
    pending.add(callOf(0xffff_ffff));
    expect(pending.nextId()).toBe(0);
  });
});
