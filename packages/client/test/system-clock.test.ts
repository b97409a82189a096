import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { expect, it } from "vitest";
import { SystemClock } from "../src/node/system-clock.ts";

/** Blocks this process, as a program does that computes for long. */
function stall(clock: SystemClock, ms: number): void {
  const until = clock.monotonicMs() + ms;
  while (clock.monotonicMs() < until);
}

it("lets what came during a stall be read before timers that it made late", async () => {
  const clock = new SystemClock();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [accepted] = (await once(server, "connection")) as [Socket];
  const seen: string[] = [];
  const taken = clock.at(clock.monotonicMs() + 20, () => seen.push("taken back"));
  client.on("data", (bytes: Buffer) => {
    seen.push(bytes.toString());
    taken();
  });
  const fired = new Promise<void>((resolve) => {
    clock.at(clock.monotonicMs() + 20, () => {
      seen.push("deadline");
      resolve();
    });
  });
  accepted.write("answer");
  stall(clock, 200);
  await fired;
  expect(seen).toEqual(["answer", "deadline"]);
  client.destroy();
  server.close();
  clock.close();
});

it("fires nothing once it is closed, however late", async () => {
  const clock = new SystemClock();
  let isFired = false;
  clock.at(clock.monotonicMs() + 20, () => {
    isFired = true;
  });
  setTimeout(() => clock.close(), 20);
  stall(clock, 100);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isFired).toBe(false);
});
