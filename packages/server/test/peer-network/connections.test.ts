import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Opened, answerMerged, ask, hasty, mergeOf, transports } from "./test-node.ts";

describe.each(transports)("the peer port, over $name:", ({ transport }) => {
  const opened = new Opened(transport);
  afterEach(() => opened.close());

  /** Ends as soon as either end closes it. */
  async function connection(port: number): Promise<Socket> {
    const socket = connect({ host: "127.0.0.1", port });
    opened.add(() => socket.destroy());
    // A connection that is not taken may be reset.
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  }

  it("closes connections beyond its limit, and takes a peer when others have left", async () => {
    const options = { ...hasty, keepaliveMs: 60_000, connectionsMax: 2 };
    const { port, address } = await opened.server(answerMerged, options);
    const held = [await connection(port), await connection(port)];
    // The server's first bytes: it has taken them.
    for (const socket of held) await once(socket, "data");
    const beyond = await connection(port);
    const received: Uint8Array[] = [];
    beyond.on("data", (bytes) => received.push(bytes));
    await once(beyond, "close");
    expect(received).toEqual([]);
    const network = opened.network(hasty);
    const refused = { ok: false, reason: "refused" };
    expect(await ask({ network, to: address, request: mergeOf(1) })).toEqual(refused);
    for (const socket of held) {
      socket.destroy();
      await once(socket, "close");
    }
    while (!(await ask({ network, to: address, request: mergeOf(2) })).ok) {
      await new Promise(setImmediate);
    }
  });
});
