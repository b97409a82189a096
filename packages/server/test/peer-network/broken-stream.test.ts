import { readdirSync, readlinkSync } from "node:fs";
import { type Socket, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import {
  Opened,
  addressOf,
  answerMerged,
  ask,
  hasty,
  idOf,
  mergeOf,
  sleep,
  until,
  transports,
} from "./test-node.ts";
import { TcpProxy } from "./tcp-proxy.ts";

describe.each(transports)("over $name:", ({ transport }) => {
  const opened = new Opened(transport);
  afterEach(() => opened.close());

  /** Of this process. */
  function openSockets(): number {
    const names = readdirSync("/proc/self/fd").map((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`);
      } catch {
        // The one through which the folder itself was read.
        return "";
      }
    });
    return names.filter((name) => name.startsWith("socket:")).length;
  }

  const merged = { ok: true, response: { kind: "merged", changed: true } };
  const timeout = { ok: false, reason: "timeout" };
  const refused = { ok: false, reason: "refused" };

  describe("a peer that stands still", () => {
    it("fails what waits for it, is then refused, and is found again when it moves", async () => {
      const { port } = await opened.server(answerMerged, hasty);
      const proxy = new TcpProxy(port);
      opened.add(() => proxy.close());
      const to = addressOf(await proxy.listen());
      const network = opened.network(hasty);
      expect(network.isReachable(to)).toBe(true);
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(merged);
      proxy.freeze();
      const waiting = [2, 3, 4].map((id) => ask({ network, to, request: mergeOf(id) }));
      expect(await Promise.all(waiting)).toEqual([timeout, timeout, timeout]);
      expect(network.isReachable(to)).toBe(false);
      expect(await ask({ network, to, request: mergeOf(5) })).toEqual(refused);
      // Connections are accepted all the while, as a stopped process's are; none is believed.
      await until(() => proxy.accepted > 2);
      expect(network.isReachable(to)).toBe(false);
      proxy.thaw();
      await until(() => network.isReachable(to));
      expect(await ask({ network, to, request: mergeOf(6) })).toEqual(merged);
      expect(network.totals()).toMatchObject({ connects: 2, reconnects: 1, pendingOperations: 0 });
    });

    it("is not held on to by either side", async () => {
      const { port, server } = await opened.server(answerMerged, hasty);
      const proxy = new TcpProxy(port);
      opened.add(() => proxy.close());
      const to = addressOf(await proxy.listen());
      const network = opened.network(hasty);
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(merged);
      expect(server.statistics.streams).toBe(1);
      proxy.freeze();
      await until(() => server.statistics.streams === 0);
      await until(() => !network.isReachable(to));
    });

    it("leaves no connection behind, attempt by attempt", async () => {
      const accepted: Socket[] = [];
      // As a stopped process: the system accepts connections, and nobody reads or closes them.
      const stopped = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
        accepted.push(socket);
      });
      await new Promise<void>((resolve) => stopped.listen(0, "127.0.0.1", resolve));
      opened.add(() => {
        for (const socket of accepted) socket.destroy();
        stopped.close();
      });
      const bound = stopped.address();
      const to = addressOf(typeof bound === "object" && bound !== null ? bound.port : 0);
      const network = opened.network({ ...hasty, connectMs: 20 });
      const before = openSockets();
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(refused);
      await until(() => accepted.length >= 10);
      network.close();
      await until(() => openSockets() - before === accepted.length);
    });

    it("whose first stream opens to nothing is refused: nothing was written to it", async () => {
      const received: number[] = [];
      const { port } = await opened.server((request, deadline, settle) => {
        received.push(idOf(request));
        answerMerged(request, deadline, settle);
      }, hasty);
      const proxy = new TcpProxy(port);
      opened.add(() => proxy.close());
      const to = addressOf(await proxy.listen());
      const network = opened.network(hasty);
      proxy.freeze();
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(refused);
      proxy.thaw();
      await until(() => network.isReachable(to));
      expect(await ask({ network, to, request: mergeOf(2) })).toEqual(merged);
      expect(received).toEqual([2]);
    });

    it("does not carry out what it finds unread after a long silence", async () => {
      // Keepalive pings that may stay unanswered: the receiver must notice the silence itself.
      const patient = { ...hasty, keepaliveTimeoutMs: 20_000 };
      const received: number[] = [];
      const { port, server } = await opened.server((request, deadline, settle) => {
        received.push(idOf(request));
        answerMerged(request, deadline, settle);
      }, patient);
      const proxy = new TcpProxy(port);
      opened.add(() => proxy.close());
      const to = addressOf(await proxy.listen());
      const network = opened.network(patient);
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(merged);
      proxy.freeze();
      const unread = ask({ network, to, request: mergeOf(2) });
      await sleep(patient.keepaliveMs * 3);
      proxy.thaw();
      expect(await unread).toEqual(timeout);
      expect(received).toEqual([1]);
      expect(server.statistics.silent).toBe(1);
      await until(() => network.isReachable(to));
      expect(await ask({ network, to, request: mergeOf(3) })).toEqual(merged);
    });
  });

  describe("a peer that ends", () => {
    it("fails what waits for it at once, and is found again when it returns", async () => {
      const first = await opened.server(() => {}, hasty);
      const network = opened.network(hasty);
      const to = first.address;
      const waiting = [1, 2].map((id) => ask({ network, to, request: mergeOf(id) }));
      await until(() => first.server.statistics.operations === 2);
      await first.server.close();
      expect(await Promise.all(waiting)).toEqual([timeout, timeout]);
      expect(network.isReachable(to)).toBe(false);
      expect(await ask({ network, to, request: mergeOf(3) })).toEqual(refused);
      await opened.server(answerMerged, hasty, first.port);
      await until(() => network.isReachable(to));
      expect(await ask({ network, to, request: mergeOf(4) })).toEqual(merged);
      expect(network.totals().reconnects).toBe(1);
    });

    it("what was gathered in the turn in which its end became known was not sent", async () => {
      const { address: to, server } = await opened.server(() => {}, hasty);
      const network = opened.network(hasty);
      const replies: unknown[] = [];
      const first = ask({ network, to, request: mergeOf(1) }).then((reply) => {
        replies.push(reply);
        return ask({ network, to, request: mergeOf(2) });
      });
      await until(() => server.statistics.operations === 1);
      await server.close();
      expect(await first).toEqual(refused);
      expect(replies).toEqual([timeout]);
      expect(server.statistics.operations).toBe(1);
    });
  });

  describe("a stream that nobody needs", () => {
    it("is closed, and the next call opens another", async () => {
      const { address: to, server } = await opened.server(answerMerged, hasty);
      const network = opened.network({ ...hasty, keepaliveMs: 20, idleMs: 50 });
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(merged);
      await until(() => server.statistics.streams === 0);
      expect(network.isReachable(to)).toBe(true);
      expect(await ask({ network, to, request: mergeOf(2) })).toEqual(merged);
      expect(network.totals()).toMatchObject({ connects: 2, reconnects: 0, connectFailures: 0 });
    });

    it("is kept alive as long as it is needed", async () => {
      const { address: to, server } = await opened.server(answerMerged, hasty);
      const network = opened.network(hasty);
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(merged);
      // The hello, the merge, and then keepalives only.
      await until(() => server.statistics.messages >= 6);
      expect(server.statistics).toMatchObject({ operations: 1, silent: 0, streams: 1 });
      expect(network.totals().connects).toBe(1);
    });

    it("is not reopened when it breaks and nobody asks", async () => {
      const { address: to, server } = await opened.server(answerMerged, hasty);
      const network = opened.network({ ...hasty, idleMs: 150 });
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(merged);
      await server.close();
      await sleep(500);
      const { connectFailures } = network.totals();
      await sleep(150);
      expect(network.totals().connectFailures).toBe(connectFailures);
      // Nothing is known of the peer any more: the next call finds out.
      expect(network.isReachable(to)).toBe(true);
    });

    it("is opened for whoever asks whether the peer is reachable", async () => {
      const { address: to, server } = await opened.server(answerMerged, hasty);
      const network = opened.network({ ...hasty, keepaliveMs: 20, idleMs: 50 });
      expect(await ask({ network, to, request: mergeOf(1) })).toEqual(merged);
      await until(() => server.statistics.streams === 0);
      await server.close();
      // The peer died while nothing was asked of it: no call is needed to find that out.
      await until(() => !network.isReachable(to));
      expect(network.totals().operationsSent).toBe(1);
    });
  });

  describe("closing", () => {
    it("a server with open streams does not wait for them", async () => {
      const { address: to, server } = await opened.server(() => {});
      const network = opened.network();
      const waiting = ask({ network, to, request: mergeOf(1) });
      await until(() => server.statistics.operations === 1);
      await server.close();
      expect(await waiting).toEqual(timeout);
    });

    it("a network settles every call, and refuses later ones", async () => {
      const { address: to, server } = await opened.server(() => {});
      const network = opened.network();
      const waiting = ask({ network, to, request: mergeOf(1) });
      await until(() => server.statistics.operations === 1);
      const gathered = ask({ network, to, request: mergeOf(2) });
      network.close();
      expect(await waiting).toEqual(timeout);
      expect(await gathered).toEqual(refused);
      expect(network.isReachable(to)).toBe(false);
      expect(await ask({ network, to, request: mergeOf(3) })).toEqual(refused);
      expect(await ask({ network, to: addressOf(1), request: mergeOf(3) })).toEqual(refused);
      await until(() => server.statistics.streams === 0);
      expect(server.statistics.operations).toBe(1);
    });
  });
});
