import { expect, it } from "vitest";
import { follow, simulate } from "./simulated-client.ts";

it("waits for what is pending, takes nothing new, and leaves no alarm", async () => {
  const { clock, cluster, coterie } = simulate();
  cluster.delay(100);
  const put = follow(clock, coterie.put("k", "v"));
  await clock.advance(10);
  const closed = follow(clock, coterie.close());
  const late = follow(clock, coterie.get("k"));
  await clock.advance(20);
  expect(late.error).toMatchObject({ code: "closed" });
  expect(closed.isSettled).toBe(false);
  await clock.advance(200);
  expect(put.value).toMatchObject({ siblings: 1 });
  expect([closed.isSettled, clock.isClosed, clock.holds]).toEqual([true, true, 0]);
});

it("fails what is pending when it is not to be drained", async () => {
  const { clock, cluster, coterie } = simulate();
  follow(clock, coterie.get("warm"));
  await clock.advance(10);
  cluster.delay(1000);
  const put = follow(clock, coterie.put("k", "v"));
  const get = follow(clock, coterie.get("k"));
  await clock.advance(10);
  const closed = follow(clock, coterie.close({ drain: false }));
  await clock.settle();
  expect(put.error).toMatchObject({ code: "closed", outcome: "unknown" });
  expect(get.error).toMatchObject({ code: "closed", outcome: "refused" });
  expect([closed.isSettled, clock.holds]).toEqual([true, 0]);
});

it("closes once, however often it is asked, and at the end of a scope", async () => {
  const { clock, coterie } = simulate();
  const closed = [coterie.close(), coterie.close(), coterie[Symbol.asyncDispose]()];
  await clock.settle();
  await Promise.all(closed);
  expect(clock.isClosed).toBe(true);
  await expect(coterie.put("k", "v")).rejects.toMatchObject({ code: "closed" });
});

it("ends an update between its rounds", async () => {
  const { clock, cluster, coterie, another } = simulate();
  const rival = another();
  cluster.delay(5);
  const update = follow(
    clock,
    coterie.update("k", async () => {
      await rival.put("k", "rival");
      return "mine";
    }),
  );
  await clock.advance(40);
  const closed = follow(clock, coterie.close());
  await clock.advance(100);
  expect(closed.isSettled).toBe(true);
  expect(update.error).toMatchObject({ code: "closed" });
});
