import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HttpDoor } from "../../src/doors/http/listen.ts";
import { openDoor } from "./open-door.ts";
import { RawClient, statusOf } from "./raw-client.ts";

const patience = {
  headersMs: 200,
  requestMs: 300,
  idleMs: 5000,
  silenceMs: 60_000,
  takeMs: 60_000,
  checkMs: 50,
};
const head =
  "POST /v1/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n" +
  "Transfer-Encoding: chunked\r\n\r\n";

let door: HttpDoor;
beforeAll(async () => {
  ({ door } = await openDoor({ patience, linePatienceMs: 1000 }));
});
afterAll(() => door.close(0));

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

const get = '{"op":"get","key":"none"}\n';
const has = (part: string) => (text: string) => text.includes(part);

describe("a batch on a connection", () => {
  it("is answered line by line while it is sent, however long that takes", async () => {
    const client = new RawClient(door.address);
    client.send(head);
    await client.until(has("\r\n\r\n"));
    expect(statusOf(client.received)).toBe(200);
    for (let line = 1; line <= 4; line += 1) {
      // Together longer than a request that is not answered yet may take.
      await sleep(150);
      client.send(chunk(get));
      await client.until(has(`"line":${line},`));
    }
    client.send("0\r\n\r\n");
    expect(await client.until(has('"done"'))).toContain('{"done":true,"lines":4,"failed":0}');
    client.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await client.until((text) => text.endsWith("ok\n"));
    client.close();
  });

  it("that stops in the middle of a line is ended with an error", async () => {
    const client = new RawClient(door.address);
    client.send(head + chunk(`${get}{"op"`));
    const received = await client.untilClosed();
    expect(received).toContain('"line":1,');
    expect(received).toContain('"status":408,"code":"timeout"');
    expect(received).toContain('"done":false');
  });

  it("that a client breaks off leaves nothing behind", async () => {
    const { door: own, node } = await openDoor({ bodyBytesMax: 64 * 1024 });
    for (let time = 0; time < 5; time += 1) {
      const client = new RawClient(own.address);
      client.send(head + chunk(`${get}{"op":"put","value":"${"x".repeat(3000)}`));
      await client.until(has('"line":1,'));
      client.close();
      await client.untilClosed();
    }
    // All it held of the budget was given back: a batch larger than what is left would be refused.
    const client = new RawClient(own.address);
    client.send(head + chunk(`{"op":"put","key":"a","value":"${"x".repeat(3000)}"}\n`.repeat(18)));
    client.send("0\r\n\r\n");
    const received = await client.until(has('"done"'));
    expect(received).toContain('{"done":true,"lines":18,"failed":0}');
    expect(node.statistics().inFlight).toBe(0);
    client.close();
    await own.close(0);
  });

  it("is not read further while its answers are not read", async () => {
    const { door: own, node } = await openDoor();
    const client = new RawClient(own.address);
    client.socket.pause();
    const blocks = 60;
    const block = chunk(get.repeat(2000));
    client.send(head + block.repeat(blocks));
    // Sockets hold some of it; then the node stands still.
    let gets = -1;
    while (node.statistics().gets !== gets) {
      ({ gets } = node.statistics());
      await sleep(300);
    }
    expect(gets).toBeGreaterThan(0);
    expect(gets).toBeLessThan(blocks * 1000);
    client.socket.resume();
    client.send("0\r\n\r\n");
    await client.until(() => {
      // Only the end is looked at.
      client.received = client.received.slice(-300);
      return client.received.includes('"done"');
    });
    expect(client.received).toContain(`{"done":true,"lines":${blocks * 2000},"failed":0}`);
    client.close();
    await own.close(0);
  });

  it("runs several operations at once, and never more than a batch may", async () => {
    const { door: own, node } = await openDoor();
    let most = 0;
    let running = 0;
    const inner = node.get.bind(node);
    node.get = async (key, options) => {
      running += 1;
      most = Math.max(most, running);
      await sleep(1);
      running -= 1;
      return inner(key, options);
    };
    const client = new RawClient(own.address);
    const lines = Array.from({ length: 5000 }, (_, at) => `{"op":"get","key":"${at}"}\n`).join("");
    client.send(`${head}${chunk(lines)}0\r\n\r\n`);
    await client.until(has('"done"'));
    expect(most).toBeGreaterThan(8);
    expect(most).toBeLessThanOrEqual(64);
    client.close();
    await own.close(0);
  });
});
