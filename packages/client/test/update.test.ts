import { expect, it } from "vitest";
import { follow, simulate } from "./simulated-client.ts";

it("reads again when its write meets a sibling, and gives up after its rounds", async () => {
  const { clock, coterie, another } = simulate();
  const rival = another();
  const seen: number[] = [];
  const update = follow(
    clock,
    coterie.update(
      "k",
      async (values) => {
        seen.push(values.length);
        await rival.put("k", `rival ${seen.length}`);
        return "mine";
      },
      { roundsMax: 3 },
    ),
  );
  await clock.advance(1000);
  expect(update.error).toMatchObject({ code: "conflict", outcome: "unknown", retryable: true });
  expect(seen).toEqual([0, 2, 2]);
});

it("covers all its rounds with one deadline", async () => {
  const { clock, cluster, coterie } = simulate();
  cluster.delay(300);
  const update = follow(
    clock,
    coterie.update("k", () => "v", { timeoutMs: 450 }),
  );
  await clock.advance(449);
  expect(update.isSettled).toBe(false);
  await clock.advance(10);
  expect(update.error).toMatchObject({ code: "timeout" });
});

it("says that something may be written once it has written", async () => {
  const { clock, cluster, coterie, another } = simulate();
  const rival = another();
  const update = follow(
    clock,
    coterie.update(
      "k",
      async () => {
        await rival.put("k", "rival");
        cluster.delay(120);
        return "mine";
      },
      { timeoutMs: 200, retries: false },
    ),
  );
  await clock.advance(500);
  expect(update.error).toMatchObject({ code: "timeout", outcome: "unknown" });
});
