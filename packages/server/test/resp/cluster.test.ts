import type { NodeApi } from "@coterie/cluster";
import type { ClusterDocument, KeyHash, Member } from "@coterie/core";
import { afterAll, expect, it } from "vitest";
import { writerRole } from "../../src/doors/resp/redis-words.ts";
import { type OpenedDoor, OpenedDoors } from "./open-door.ts";
import type { Said } from "./raw-redis.ts";

const doors = new OpenedDoors();
afterAll(() => doors.close());

const id = /^[0-9a-f]{40}$/u;

/** The document of three nodes, of which the first is the one behind the door. */
function three(document: ClusterDocument, hash: KeyHash): ClusterDocument {
  const [first] = document.members;
  const numbers = [1, 2, 3];
  const members = numbers.map((number): Member => {
    const resp = `10.0.0.${number}:750${number}`;
    return { ...(first as Member), id: `n${number}` as Member["id"], resp };
  });
  const owners = document.owners.map((_, partition) => numbers.map((at) => (at + partition) % 3));
  return { ...document, settings: { ...document.settings, hash }, members, owners };
}

/** A door in front of a node that believes to be one of three, of which some are away. */
async function oneOfThree(hash: KeyHash, away: readonly string[]): Promise<OpenedDoor> {
  return doors.open({
    wrap: (node) =>
      new Proxy(node, {
        get(target, name: keyof NodeApi): unknown {
          if (name === "document") return () => three(target.document() as ClusterDocument, hash);
          if (name === "id") return "n1";
          if (name === "peers") {
            return () =>
              ["n2", "n3"].map((peer) => ({ id: peer, isReachable: !away.includes(peer) }));
          }
          const value = target[name];
          return typeof value === "function" ? value.bind(target) : value;
        },
      }),
  });
}

it("one node has all slots, under the address of its door", async () => {
  const { client, door } = await doors.open();
  const [host = "", port] = door.address.split(":");
  const myId = String(await client.ask("cluster", "myid"));
  expect(myId).toMatch(id);
  expect(await client.ask("cluster", "slots")).toEqual([
    [0, 16_383, [host, Number(port), myId, []]],
  ]);
  expect(await client.ask("cluster", "nodes")).toMatch(
    new RegExp(
      `^${myId} ${host}:${port}@\\d+ myself,${writerRole} - 0 0 1 connected 0-16383\\n$`,
      "u",
    ),
  );
  expect(await client.ask("CLUSTER", "INFO")).toContain("cluster_state:ok\r\n");
  expect(await client.ask("cluster", "replicas", myId)).toEqual([]);
});

it.each([
  ["foo", 12_182],
  ["{user1000}.following", 3443],
  ["foo{}{bar}", 8363],
  ["", 0],
])("CLUSTER KEYSLOT %j is %i", async (key, slot) => {
  const { client } = await doors.open();
  expect(await client.ask("cluster", "keyslot", key)).toBe(slot);
});

it("takes READONLY, READWRITE and ASKING, and refuses to be changed", async () => {
  const { client } = await doors.open();
  for (const name of ["readonly", "readwrite", "asking"]) {
    expect(await client.ask(name)).toBe("+OK");
  }
  expect(await client.ask("cluster", "meet", "127.0.0.1", 1)).toBe(
    "-ERR unknown subcommand 'meet'. Try CLUSTER HELP.",
  );
  expect(await client.ask("cluster")).toMatch(/^-ERR wrong number of arguments/u);
  expect(JSON.stringify(await client.ask("cluster", "help"))).toContain("KEYSLOT");
});

it("with redis-slots names the first owner, and the next one while it is away", async () => {
  const portsOf = (said: Said): readonly unknown[] =>
    (said as readonly (readonly Said[])[]).map(([, , node]) => (node as readonly Said[])[1]);
  const all = await oneOfThree("redis-slots", []);
  const own = Number(all.door.address.split(":")[1]);
  const ports = portsOf(await all.client.ask("cluster", "slots"));
  // Eight partitions, whose first owners are n2, n3, n1 and so on.
  expect(ports).toEqual([7502, 7503, own, 7502, 7503, own, 7502, 7503]);
  const some = await oneOfThree("redis-slots", ["n2"]);
  const left = portsOf(await some.client.ask("cluster", "slots"));
  expect(new Set(left)).toEqual(new Set([7503, Number(some.door.address.split(":")[1])]));
});

it("splits the slots evenly where they say nothing of owners, and tells who is away", async () => {
  const { client } = await oneOfThree("md5", ["n3"]);
  const lines = String(await client.ask("cluster", "nodes")).split("\n");
  expect(lines[0]).toMatch(
    new RegExp(` myself,${writerRole} - 0 0 1 connected 0-5461 10923-16383$`, "u"),
  );
  expect(lines[1]).toMatch(
    new RegExp(` 10.0.0.2:7502@\\d+ ${writerRole} - 0 0 1 connected 5462-10922$`, "u"),
  );
  expect(lines[2]).toMatch(
    new RegExp(` 10.0.0.3:7503@\\d+ ${writerRole},fail - 0 0 1 disconnected$`, "u"),
  );
  expect(await client.ask("cluster", "info")).toContain("cluster_size:2\r\n");
  const shards = (await client.ask("cluster", "shards")) as readonly (readonly Said[])[];
  expect(shards).toHaveLength(2);
  expect(shards[1]?.slice(0, 2)).toEqual(["slots", [5462, 10_922]]);
});

it("knows no slots before the cluster has formed", async () => {
  const { client } = await doors.open({
    wrap: (node) =>
      new Proxy(node, {
        get(target, name: keyof NodeApi): unknown {
          if (name === "document") return () => undefined;
          const value = target[name];
          return typeof value === "function" ? value.bind(target) : value;
        },
      }),
  });
  for (const name of ["slots", "shards", "nodes"]) {
    expect(await client.ask("cluster", name)).toMatch(/^-LOADING not-ready/u);
  }
  expect(await client.ask("cluster", "info")).toContain("cluster_state:fail\r\n");
});
