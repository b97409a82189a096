import type { Disk } from "@coterie/ports";
import { expect, it } from "vitest";
import { storm } from "./storm.ts";

it("whatever fails, there is one history, and nothing acknowledged is lost", async () => {
  let changes = 0;
  let puts = 0;
  for (let seed = 1; seed <= 60; seed += 1) {
    const report = await storm(seed);
    expect({ seed, problems: report.problems }).toEqual({ seed, problems: [] });
    changes += report.changes;
    puts += report.puts;
  }
  expect(changes).toBeGreaterThan(100);
  expect(puts).toBeGreaterThan(50);
}, 60_000);

it("two changes at one node never share a ballot (seed 1383)", async () => {
  expect((await storm(1383)).problems).toEqual([]);
});

/** A voter that never keeps what it promised and accepted. */
function forgetful(disk: Disk): Disk {
  const settleLater = (settle: (outcome: { ok: true; value: undefined }) => void): void =>
    disk.free(() => settle({ ok: true, value: undefined }));
  return new Proxy(disk, {
    get(target, name) {
      if (name === "rename") {
        const rename: Disk["rename"] = (from, to, settle) =>
          to === "cluster-register" ? settleLater(settle) : target.rename(from, to, settle);
        return rename;
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

it("is found out when voters forget what they voted for", async () => {
  let found: readonly string[] = [];
  for (let seed = 1; seed <= 300 && found.length === 0; seed += 1) {
    found = (await storm(seed, forgetful)).problems;
  }
  expect(found).not.toEqual([]);
}, 60_000);
