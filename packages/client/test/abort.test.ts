import { expect, it } from "vitest";
import { follow, simulate } from "./simulated-client.ts";

it("rejects at once with the signal's reason, and tells the node", async () => {
  const { clock, cluster, coterie } = simulate();
  follow(clock, coterie.get("warm"));
  await clock.advance(50);
  cluster.delay(500);
  const controller = new AbortController();
  const before = cluster.nodes.map((node) => cluster.requests(node));
  const put = follow(clock, coterie.put("k", "v", { signal: controller.signal }));
  await clock.advance(100);
  controller.abort();
  await clock.settle();
  expect(put.error).toBe(controller.signal.reason);
  expect((put.error as Error).name).toBe("AbortError");
  await clock.advance(1000);
  // Cancelled while the node took its time: it never began.
  expect(cluster.nodes.map((node) => cluster.requests(node))).toEqual(before);
  expect(coterie.statistics).toMatchObject({ pending: 0, failed: 1 });
});

it("never sends what was aborted in the turn that asked for it", async () => {
  const { clock, cluster, coterie } = simulate();
  follow(clock, coterie.get("warm"));
  await clock.advance(50);
  const controller = new AbortController();
  const before = cluster.nodes.map((node) => cluster.requests(node));
  const put = follow(clock, coterie.put("k", "v", { signal: controller.signal }));
  controller.abort(new Error("changed my mind"));
  await clock.advance(100);
  expect(put.error).toMatchObject({ message: "changed my mind" });
  expect(cluster.nodes.map((node) => cluster.requests(node))).toEqual(before);
});

it("refuses a signal that is aborted already", async () => {
  const { coterie } = simulate();
  const signal = AbortSignal.abort();
  await expect(coterie.get("k", { signal })).rejects.toBe(signal.reason);
});

it("ends what waits for a node, and the pauses of retries and updates", async () => {
  const { clock, cluster, coterie } = simulate({ timeoutMs: 5000 });
  const controller = new AbortController();
  const { signal } = controller;
  for (const node of cluster.nodes) cluster.kill(node);
  const parked = follow(clock, coterie.get("k", { signal }));
  const updated = follow(
    clock,
    coterie.update("k", () => "v", { signal }),
  );
  await clock.advance(100);
  controller.abort();
  await clock.settle();
  expect([parked.error, updated.error]).toEqual([signal.reason, signal.reason]);
});

it("leaves no listener on a signal that outlives its operations", async () => {
  const { clock, coterie } = simulate();
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...words: Parameters<typeof add>) => {
    listeners += 1;
    add(...words);
  };
  signal.removeEventListener = (...words: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...words);
  };
  for (let at = 0; at < 20; at += 1) follow(clock, coterie.get(`k${at}`, { signal }));
  await clock.advance(10);
  expect(coterie.statistics.succeeded).toBe(20);
  expect(listeners).toBe(0);
});
