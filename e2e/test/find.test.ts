import { afterAll, beforeAll, expect, it } from "vitest";
import { type CommandResult, coterie } from "../src/command.ts";
import { KvClient } from "../src/kv.ts";
import { RealCluster } from "../src/real-cluster.ts";

const kv = new KvClient();
const names = Array.from({ length: 40 }, (_, at) => `key-${at}`);
let cluster: RealCluster;

beforeAll(async () => {
  cluster = await RealCluster.start({ arguments: ["--nodes", "5"] });
  const [first = ""] = cluster.doors;
  for (const name of names) {
    await kv.put(first, name, "v");
    const { context } = await kv.get(first, name);
    await kv.delete(first, name, context);
  }
  for (const value of ["milk", "bread"]) await kv.put(first, "cart", value);
}, 90_000);
afterAll(async () => {
  kv.close();
  await cluster.stop();
});

interface Found {
  readonly key: string;
  readonly copies: readonly { readonly node: string }[];
}

interface End {
  readonly found: number;
  readonly problems: readonly { readonly node: string }[];
  readonly coverage: {
    readonly partitions: number;
    readonly byAll: number;
    readonly bySome: readonly { readonly missing: readonly string[] }[];
    readonly byNone: readonly number[];
  };
}

function find(...words: readonly string[]): Promise<CommandResult> {
  return coterie("find", ...words, "--node", `http://${cluster.doors[4]}`);
}

async function tombstones(): Promise<{ code: number | null; keys: Found[]; end: End }> {
  const { code, stdout } = await find("--tombstones", "--json");
  const lines = stdout.trim().split("\n");
  const end = JSON.parse(lines.pop() ?? "") as End;
  return { code, keys: lines.map((line) => JSON.parse(line) as Found), end };
}

it("finds what any replica holds, and at whom", async () => {
  const whole = async (): Promise<boolean> => {
    const { keys } = await tombstones();
    return keys.length === 40 && keys.every(({ copies }) => copies.length === 3);
  };
  await expect.poll(whole, { timeout: 20_000 }).toBe(true);
  const { code, end } = await tombstones();
  expect(code).toBe(0);
  const coverage = { partitions: 64, byAll: 64, bySome: [], byNone: [] };
  expect(end).toMatchObject({ found: 40, problems: [], coverage });
  const shown = await find("--siblings", "2");
  expect(shown.stdout).toMatch(/ 2 +\d+ +n\d,n\d,n\d +default +cart$/mu);
}, 60_000);

it("says whose copies of which partitions nobody looked at while nodes are down", async () => {
  await cluster.kill("n2");
  const one = await tombstones();
  expect(one.code).toBe(1);
  expect(one.end.problems).toMatchObject([{ node: "n2" }]);
  expect(one.keys).toHaveLength(40);
  const { byAll, bySome, byNone } = one.end.coverage;
  expect([byAll + bySome.length, byNone]).toEqual([64, []]);
  expect(new Set(bySome.flatMap(({ missing }) => missing))).toEqual(new Set(["n2"]));
  await cluster.kill("n1", "n3");
  const three = await tombstones();
  expect(three.end.coverage.byNone.length).toBeGreaterThan(0);
  const { stderr } = await find("--tombstones");
  expect(stderr).toMatch(/by some, without n1, n2, n3; \d+ by none: \d+/u);
  expect(stderr).toMatch(/^n2 does not answer: .*ECONNREFUSED/mu);
}, 60_000);
