import { expect, it } from "vitest";
import { defaultLinkOptions } from "../src/engine/link-options.ts";
import { NodeLinks } from "../src/engine/node-links.ts";
import type { StreamEvents } from "../src/engine/transport.ts";
import { SystemRandom } from "../src/node/system-random.ts";
import { SimulatedClock } from "./simulated-clock.ts";

function connectTo(nodes: readonly string[]): {
  links: NodeLinks;
  opened: Map<string, StreamEvents>;
} {
  const opened = new Map<string, StreamEvents>();
  const silent = {
    add: () => 0,
    flush() {},
    bytesUnsent: 0,
    describe() {},
    end() {},
    destroy() {},
  };
  const links = new NodeLinks({
    nodes,
    clock: new SimulatedClock(),
    random: new SystemRandom(),
    transport: {
      open: (address, events) => {
        opened.set(address, events);
        return silent;
      },
    },
    options: defaultLinkOptions,
    onOpen: () => {},
    onBroken: () => {},
  });
  return { links, opened };
}

const layout = (node: string, members: Readonly<Record<string, string>>) => ({
  epoch: 1,
  node,
  members: Object.entries(members).map(([id, grpc]) => ({
    id,
    grpc,
    http: "",
    host: "",
    zone: "",
  })),
  buckets: [],
  partitions: [],
  hash: "",
});

const addresses = (links: readonly ({ readonly address: string } | undefined)[]): unknown =>
  links.map((link) => link?.address);

it("prefers the address under which a node was reached to the one it advertises", () => {
  const { links } = connectTo(["proxy:1"]);
  const [source] = links.all;
  if (source === undefined) throw new Error("one node was named");
  const adopted = links.adopt(layout("n1", { n1: "inside:1", n2: "inside:2" }), source);
  expect(addresses(adopted)).toEqual(["proxy:1", "inside:2"]);
});

it("goes by what is advertised once a node is not there any more", () => {
  const { links, opened } = connectTo(["a:1", "b:1"]);
  const [first, second] = links.all;
  if (first === undefined || second === undefined) throw new Error("two nodes were named");
  links.adopt(layout("n1", { n1: "a:1", n2: "b:1" }), first);
  first.want();
  opened.get("a:1")?.onBroken("gone");
  const adopted = links.adopt(layout("n2", { n1: "a:2", n2: "b:1" }), second);
  expect(addresses(adopted)).toEqual(["a:2", "b:1"]);
});

it("has no link to a member without a client door, and drops those to members that left", () => {
  const { links } = connectTo(["a:1"]);
  const [source] = links.all;
  if (source === undefined) throw new Error("one node was named");
  expect(
    addresses(links.adopt(layout("n1", { n1: "a:1", n2: "", n3: "c:1", n4: "no port" }), source)),
  ).toEqual(["a:1", undefined, "c:1", undefined]);
  links.adopt(layout("n1", { n1: "a:1" }), source);
  expect(addresses(links.all)).toEqual(["a:1"]);
});
