import * as fc from "fast-check";
import { expect, it } from "vitest";
import { FormingCluster } from "./forming-cluster.ts";

type Step = readonly [kind: string, first: number, second: number];

function stepsOf(kinds: readonly string[]): fc.Arbitrary<readonly Step[]> {
  const number = fc.nat(11);
  return fc.array(fc.tuple(fc.constantFrom(...kinds), number, number), {
    maxLength: 120,
    size: "max",
  });
}

function take(cluster: FormingCluster, [kind, first, second]: Step): void {
  if (kind === "start") cluster.start(first);
  if (kind === "wipe") cluster.wipe(first);
  if (kind === "send") cluster.send(first, second);
  if (kind === "talk") cluster.talk(first, second);
  if (kind === "deliver") cluster.deliver(first, true);
  if (kind === "repeat") cluster.deliver(first, false);
  if (kind === "lose") cluster.lose(first);
  if (kind === "act") cluster.act(first);
}

const traffic = ["talk", "talk", "talk", "send", "send", "deliver", "repeat", "lose", "act"];
const count = fc.integer({ min: 1, max: 4 });

it("agrees in the end, whatever was lost, repeated, late or restarted", () => {
  fc.assert(
    fc.property(count, fc.boolean(), stepsOf([...traffic, "start"]), (nodes, self, steps) => {
      const cluster = new FormingCluster(nodes, self);
      for (const step of steps) take(cluster, step);
      cluster.heal(3);
      expect(cluster.digests()).toHaveLength(nodes);
      expect(new Set(cluster.digests()).size).toBe(1);
    }),
    { numRuns: 1000 },
  );
});

it("never stores two documents, even if directories are replaced meanwhile", () => {
  fc.assert(
    fc.property(count, stepsOf([...traffic, "start", "wipe"]), (nodes, steps) => {
      const cluster = new FormingCluster(nodes, true);
      for (let at = 0; at < nodes; at += 1) cluster.start(at);
      for (const step of steps) {
        take(cluster, step);
        expect(new Set(cluster.digests()).size).toBeLessThanOrEqual(1);
      }
      const hasFormed = cluster.digests().length > 0;
      cluster.heal(6);
      expect(new Set(cluster.digests()).size).toBe(1);
      if (!hasFormed) expect(cluster.digests()).toHaveLength(nodes);
    }),
    { numRuns: 1000 },
  );
});
