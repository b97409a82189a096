import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { SystemClock } from "../../src/adapters/system-clock.ts";

describe("the system's clock", () => {
  it("fires a deadline beyond a lap of its wheel, and not a lap early", async () => {
    const clock = new SystemClock();
    const fired: string[] = [];
    const start = clock.monotonicMs();
    clock.at(start + 8192 + 100, () => fired.push("a lap later"));
    await new Promise<void>((resolve) => {
      clock.at(start + 100, () => fired.push("soon"));
      clock.at(start + 200, resolve);
    });
    expect(fired).toEqual(["soon"]);
    await new Promise<void>((resolve) => clock.at(start + 8192 + 110, resolve));
    expect(fired).toEqual(["soon", "a lap later"]);
  }, 15_000);

  it("keeps many deadlines apart while most of them are cancelled", async () => {
    const clock = new SystemClock();
    const fired: number[] = [];
    const start = clock.monotonicMs();
    const cancels = Array.from({ length: 50_000 }, (_, at) =>
      clock.at(start + 50 + (at % 100), () => fired.push(at)),
    );
    for (const [at, cancel] of cancels.entries()) if (at % 1000 !== 7) cancel();
    await new Promise<void>((resolve) => clock.at(start + 200, resolve));
    const kept = Array.from({ length: 50 }, (_, at) => at * 1000 + 7);
    expect(fired.toSorted((left, right) => left - right)).toEqual(kept);
  });

  it("lets what came during a stall be read before deadlines that it made late", async () => {
    const clock = new SystemClock();
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [accepted] = (await once(server, "connection")) as [Socket];
    const seen: string[] = [];
    client.on("data", (bytes: Buffer) => seen.push(bytes.toString()));
    const start = clock.monotonicMs();
    const fired = new Promise<void>((resolve) => {
      clock.at(start + 20, () => {
        seen.push("deadline");
        resolve();
      });
    });
    accepted.write("answer");
    while (clock.monotonicMs() < start + 200);
    await fired;
    expect(seen).toEqual(["answer", "deadline"]);
    client.destroy();
    server.close();
  });
});
