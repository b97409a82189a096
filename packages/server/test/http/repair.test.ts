import { beforeAll, describe, expect, it } from "vitest";
import { oneNode } from "./one-node.ts";

let send: (method: string, path: string, body?: string) => Promise<Response>;

beforeAll(async () => {
  const { app } = await oneNode();
  send = async (method, path, body) => {
    const init = body === undefined ? { method } : { method, body };
    return app.request(`http://localhost/v1/${path}`, init);
  };
});

describe("POST /v1/repair", () => {
  it("begins a repair, of which GET /v1/anti-entropy tells", async () => {
    const before = (await (await send("GET", "anti-entropy")).json()) as { repair: unknown };
    expect(before.repair).toBeNull();
    const begun = await send("POST", "repair", '{"partitions":[0,7,7]}');
    expect(begun.status).toBe(202);
    expect(await begun.json()).toEqual({ node: "n1", number: 1, partitions: 2, peers: 0 });
    const view = (): Promise<unknown> => send("GET", "anti-entropy").then((shown) => shown.json());
    // Alone, it has nobody to differ from.
    await expect.poll(view).toMatchObject({
      node: "n1",
      lagMs: 0,
      oldest: null,
      peers: [],
      repair: { number: 1, state: "done", partitions: 2, partitionsDone: 2, failures: [] },
    });
    expect(await (await send("POST", "repair", '{"partitions":"all"}')).json()).toMatchObject({
      number: 2,
      partitions: 8,
    });
  });

  it.each([
    ["", /a repair is/u],
    ["all", /a repair is/u],
    ["null", /a repair is/u],
    ["[0]", /a repair is/u],
    ["{}", /a repair is/u],
    ['{"partitions":"some"}', /a repair is/u],
    ['{"partitions":[]}', /a repair is/u],
    ['{"partitions":[1.5]}', /a repair is/u],
    ['{"partitions":[-1]}', /a repair is/u],
    ['{"partitions":["1"]}', /a repair is/u],
    ['{"partitions":"all","now":true}', /no option "now"/u],
    ['{"partitions":[0,8]}', /n1 does not own partition 8/u],
  ])("refuses %s", async (body, message) => {
    const answer = await send("POST", "repair", body);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { message: string }).message).toMatch(message);
  });

  it("takes no query", async () => {
    expect((await send("POST", "repair?all", '{"partitions":"all"}')).status).toBe(400);
  });
});
