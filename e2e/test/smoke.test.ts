import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Command, coterie } from "../src/command.ts";
import { KvClient } from "../src/kv.ts";
import { RealCluster } from "../src/real-cluster.ts";

const kv = new KvClient();
afterAll(() => kv.close());

describe("three nodes", () => {
  let cluster: RealCluster;
  let first: string;
  let second: string;
  let third: string;

  beforeAll(async () => {
    cluster = await RealCluster.start();
    [first, second, third] = cluster.doors as [string, string, string];
  }, 90_000);
  afterAll(() => cluster.stop());

  it("behaviour 30: put through one node and read through any other", async () => {
    expect((await kv.put(first, "greeting", "hello")).status).toBe(204);
    for (const door of cluster.doors) {
      expect((await kv.get(door, "greeting")).values).toEqual(["hello"]);
    }
  });

  it("behaviour 34: replace a value when the put carries the context that was read", async () => {
    await kv.put(first, "city", "Ulm");
    const { context } = await kv.get(second, "city");
    expect((await kv.put(third, "city", "Bern", context)).status).toBe(204);
    expect((await kv.get(first, "city")).values).toEqual(["Bern"]);
  });

  it("behaviour 31: answer a missing key with no value, and that is not a failure", async () => {
    const { answer, values, context } = await kv.get(second, "never-written");
    expect([answer.status, values, context]).toEqual([404, [], undefined]);
  });

  it("keep both values of a conflict until a put resolves it", async () => {
    await kv.put(first, "cart", "milk");
    await kv.put(second, "cart", "bread");
    const { answer, values, context } = await kv.get(third, "cart");
    expect(answer.status).toBe(300);
    expect(values?.toSorted()).toEqual(["bread", "milk"]);
    await kv.put(third, "cart", "milk and bread", context);
    expect((await kv.get(first, "cart")).values).toEqual(["milk and bread"]);
  });

  it("delete what was read, and show the tombstone's context", async () => {
    await kv.put(first, "gone", "soon");
    const { context } = await kv.get(second, "gone");
    expect((await kv.delete(second, "gone", context)).status).toBe(204);
    const { answer, values, context: after } = await kv.get(third, "gone");
    expect([answer.status, values]).toEqual([404, []]);
    expect(after).toBeTypeOf("string");
  });

  it("refuse a context of another key", async () => {
    await kv.put(first, "mine", "1");
    const { context } = await kv.get(first, "mine");
    const { status, body } = await kv.put(second, "yours", "2", context);
    expect([status, JSON.parse(body.toString()).code]).toEqual([400, "bad-context"]);
  });

  it("each hold a copy of their own", async () => {
    await kv.put(first, "copies", "three");
    for (const door of cluster.doors) {
      const own = async (): Promise<readonly string[]> =>
        (await kv.getReplica(door, "copies")).values ?? [];
      await expect.poll(own, { timeout: 10_000 }).toEqual(["three"]);
    }
  });

  it("are served by the command as well", async () => {
    const at = ["--node", `http://${second}`];
    expect((await coterie("put", "said", "by the command", ...at)).code).toBe(0);
    const { code, stdout } = await coterie("get", "said", "--node", `http://${third}`);
    expect([code, stdout.trimEnd()]).toEqual([0, "by the command"]);
    expect((await coterie("get", "never-written", ...at)).code).toBe(3);
    expect((await coterie("status", ...at)).code).toBe(0);
  });

  it("refuse a second process in a directory in use, and name who holds it", async () => {
    // Its own doors, so that only the directory is in the way.
    const words = cluster.startWords("n1", {
      http: "127.0.0.1:0",
      grpc: "127.0.0.1:0",
      resp: "127.0.0.1:0",
      peer: "127.0.0.1:0",
    });
    const { code, output } = await coterie(...words);
    expect(code).not.toBe(0);
    expect(output).toContain(`${cluster.pidOf("n1")}`);
  });
});

it("keeps its data over a restart, and starts with one node dead", async () => {
  const directory = mkdtempSync(join(tmpdir(), "coterie-e2e-"));
  const before = await RealCluster.start({ directory });
  for (let at = 0; at < 20; at += 1) await kv.put(before.doors[at % 3] ?? "", `k${at}`, `v${at}`);
  await before.stop({ keepData: true });

  const after = await RealCluster.start({ directory });
  for (let at = 0; at < 20; at += 1) {
    expect((await kv.get(after.doors[(at + 1) % 3] ?? "", `k${at}`)).values).toEqual([`v${at}`]);
  }
  await after.stop({ keepData: true });

  const alone = ["n1", "n2"].map((id) => new Command(after.startWords(id)));
  try {
    await after.untilReady("n1", "n2");
    const [first, second] = after.doors as [string, string, string];
    expect((await kv.get(first, "k7")).values).toEqual(["v7"]);
    expect((await kv.put(second, "new", "value")).status).toBe(204);
    expect((await kv.get(first, "new")).values).toEqual(["value"]);
  } finally {
    for (const command of alone) await command.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}, 180_000);

it("names the port that is in use", async () => {
  const directory = mkdtempSync(join(tmpdir(), "coterie-e2e-"));
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  try {
    const words = ["dev", "--base-port", `${port - 1}`, "--data", directory, "--no-input"];
    const { code, stderr } = await coterie(...words);
    expect(code).not.toBe(0);
    expect(stderr).toContain(`${port}`);
    expect(stderr).toContain("--base-port");
  } finally {
    other.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

it("goes on while one node stands still, and serves through it once it continues", async () => {
  const cluster = await RealCluster.start();
  try {
    const [first, second, third] = cluster.doors as [string, string, string];
    cluster.pause("n3");
    for (let at = 0; at < 30; at += 1) {
      expect((await kv.put(first, `still-${at}`, "x")).status).toBe(204);
      expect((await kv.get(second, `still-${at}`)).values).toEqual(["x"]);
    }
    cluster.resume("n3");
    await cluster.untilReady("n3");
    expect((await kv.get(third, "still-29")).values).toEqual(["x"]);
  } finally {
    await cluster.stop();
  }
}, 120_000);
