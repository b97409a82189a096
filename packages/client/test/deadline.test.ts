import { expect, it } from "vitest";
import { follow, simulate } from "./simulated-client.ts";

it("fails a call at its deadline, however many attempts it has made", async () => {
  const { clock, cluster, coterie } = simulate({ timeoutMs: 2000 });
  for (const node of cluster.nodes) cluster.delay(10_000, node);
  const put = follow(clock, coterie.put("k", "v"));
  const get = follow(clock, coterie.get("k"));
  await clock.advance(1990);
  expect([put.isSettled, get.isSettled]).toEqual([false, false]);
  await clock.advance(20);
  expect(put.error).toMatchObject({ code: "timeout", outcome: "unknown" });
  expect(get.error).toMatchObject({ code: "timeout", outcome: "refused" });
  expect(coterie.statistics.pending).toBe(0);
});

it("counts the deadline from the call, not from the attempt", async () => {
  const { clock, cluster, coterie } = simulate({ timeoutMs: 1000 });
  cluster.fail({ code: "overloaded", times: 1000 });
  const put = follow(clock, coterie.put("k", "v"));
  await clock.advance(1001);
  expect(put.isSettled).toBe(true);
  expect(put.error).toMatchObject({ code: "overloaded", outcome: "refused" });
});

it("tells the node what is left of the time", async () => {
  const { clock, cluster, coterie } = simulate();
  const short = follow(clock, coterie.get("k", { timeoutMs: 30 }));
  cluster.delay(200);
  await clock.advance(35);
  expect(short.error).toMatchObject({ code: "timeout" });
});

it("waits for a node while none can be reached, and says so when there was none", async () => {
  const { clock, cluster, coterie } = simulate({ timeoutMs: 1500 });
  for (const node of cluster.nodes) cluster.kill(node);
  const lost = follow(clock, coterie.put("k", "v"));
  await clock.advance(1400);
  expect(lost.isSettled).toBe(false);
  await clock.advance(110);
  expect(lost.error).toMatchObject({ code: "unreachable", outcome: "refused" });

  const found = follow(clock, coterie.put("k", "v"));
  await clock.advance(100);
  for (const node of cluster.nodes) cluster.revive(node);
  await clock.advance(1400);
  expect(found.value).toMatchObject({ siblings: 1 });
});

it("fails at once when no node can be reached and retries are off", async () => {
  const { clock, cluster, coterie } = simulate({ retries: false });
  for (const node of cluster.nodes) cluster.kill(node);
  const put = follow(clock, coterie.put("k", "v"));
  await clock.advance(20);
  expect(put.error).toMatchObject({ code: "unreachable", outcome: "refused" });
});

it.each([0, -1, 60_001, Number.NaN])("refuses a timeout of %s ms", async (timeoutMs) => {
  const { coterie } = simulate();
  await expect(coterie.get("k", { timeoutMs })).rejects.toMatchObject({ code: "bad-request" });
});

it("keeps the process alive while an operation is pending, and only then", async () => {
  const { clock, cluster, coterie } = simulate();
  expect(clock.holds).toBe(0);
  cluster.delay(100);
  const get = follow(clock, coterie.get("k"));
  await clock.advance(50);
  expect(clock.holds).toBe(1);
  await clock.advance(100);
  expect(get.isSettled).toBe(true);
  expect(clock.holds).toBe(0);
});

it.each([-1, 0.5, 60_001])("refuses a get that allows an answer to be %d ms old", async (each) => {
  const { coterie } = simulate();
  await expect(coterie.get("k", { maxStaleMs: each })).rejects.toMatchObject({
    code: "bad-request",
  });
});
