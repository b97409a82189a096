import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeNode } from "./fake-node.ts";
import { coterie, type Run } from "./run-coterie.ts";

let node: FakeNode;

beforeEach(async () => {
  node = await FakeNode.start();
});
afterEach(() => node.stop());

function run(...words: string[]): Promise<Run> {
  return coterie(words, { env: { COTERIE_NODES: node.url } });
}

const metrics = [
  "# TYPE x gauge",
  "coterie_store_keys 12",
  "coterie_store_disk_bytes 2048",
  "coterie_process_start_time_seconds 1000",
  "coterie_wall_clock_seconds 1125.4",
  'coterie_peer_reachable{peer="n2"} 1',
  'coterie_peer_reachable{peer="n3"} 0',
].join("\n");

function answerAs(options: { readonly ready: boolean; readonly second: string }): void {
  const host = new URL(node.url).host;
  const member = (id: string, http: string): object => ({ id, http, address: "x:1", zone: "" });
  node.intercept = ({ url }) => {
    switch (url) {
      case "/v1/cluster": {
        const members = [member("n1", host), member("n2", options.second)];
        const buckets = [
          { name: "b", n: 2, r: 1, w: 2 },
          { name: "fine", n: 1, r: 0, w: 0 },
        ];
        return { status: 200, body: { clusterId: "c", epoch: 1, members, buckets } };
      }
      case "/v1/ring":
        return { status: 200, body: { epoch: 1, owners: [["n1", "n2"], ["n2"]] } };
      case "/readyz":
        return options.ready
          ? { status: 200, body: { ready: true } }
          : { status: 503, body: { ready: false, missing: ["n2 has not answered"] } };
      case "/metrics":
        return { status: 200, body: metrics };
      default:
        return undefined;
    }
  };
}

describe("status", () => {
  it("exits 0 when every node serves", async () => {
    answerAs({ ready: true, second: new URL(node.url).host });
    const shown = await run("status");
    expect(shown.exit).toBe(0);
    expect(shown.stdout).toMatch(/^NODE .*\nn1 +ready .* of 2 +1 .*\nn2 +ready .* of 2 +2 /u);
  });

  it("exits 1 and names the node that cannot be reached", async () => {
    answerAs({ ready: true, second: "127.0.0.1:1" });
    const shown = await run("status", "--json");
    expect(shown.exit).toBe(1);
    expect(shown.stderr).toContain("n2 is unreachable");
    const { isDegraded, nodes } = JSON.parse(shown.stdout);
    expect(isDegraded).toBe(true);
    expect(nodes[1]).toMatchObject({ id: "n2", state: "unreachable" });
  });

  it("says what a node waits for", async () => {
    answerAs({ ready: false, second: new URL(node.url).host });
    const shown = await run("status");
    expect(shown.exit).toBe(1);
    expect(shown.stderr).toContain("n1 is not ready: n2 has not answered");
  });

  it("says of each bucket where too few nodes serve", async () => {
    answerAs({ ready: true, second: "127.0.0.1:1" });
    const shown = await run("status");
    expect(shown.stderr).toContain("1 of 2 nodes serve");
    // n1 owns a copy of the first of two partitions, n2 of both.
    expect(shown.stderr).toContain("bucket b: no reads in 1 of 2 partitions, no writes in 2");
    expect(shown.stderr).not.toContain("bucket fine");
  });

  it("shows since when a node is up, and which peers it reaches", async () => {
    answerAs({ ready: true, second: new URL(node.url).host });
    const shown = await run("status");
    expect(shown.stdout).toMatch(/n1 +ready +2 min 5 s +1 of 2 +1 +12 +- +2\.0 KiB/u);
    expect(shown.stderr).toContain("2 of 2 nodes serve");
  });
});

describe("ring and explain", () => {
  it("lists the owners of every partition, and counts them", async () => {
    answerAs({ ready: true, second: "" });
    const shown = await run("ring");
    expect(shown.exit).toBe(0);
    expect(shown.stdout).toContain("0  n1 n2");
    expect(shown.stderr).toContain("n1 1, n2 2");
  });

  it("shows what each replica answers", async () => {
    const replicas = [
      {
        node: "n1",
        role: "primary",
        state: "present",
        dots: ["ab:1"],
        clock: ["ab:1"],
        digest: "d1",
        bytes: 3,
      },
      { node: "n2", role: "primary", state: "unreachable", reason: "refused" },
      { node: "n3", role: "fallback", standsInFor: "n2", state: "absent" },
    ];
    node.intercept = ({ url }) =>
      url === "/v1/explain/default/a%2Fb"
        ? {
            status: 200,
            body: { bucket: "default", partition: 7, epoch: 1, token: "0f", n: 2, replicas },
          }
        : undefined;
    const shown = await run("explain", "a/b");
    expect(shown.exit).toBe(0);
    expect(shown.stdout).toMatch(/n1 +primary +present +1 +3 +d1 +ab:1/u);
    expect(shown.stdout).toContain("unreachable: refused");
    expect(shown.stdout).toMatch(/n3 +fallback, for n2 +absent/u);
    expect(shown.stderr).toContain("partition 7");
  });
});

describe("hints", () => {
  const debt = { target: "n2", kind: "missed", records: 12, dirtyPartitions: 3, ageMs: 5000 };
  const waiting = { ...debt, bytes: null, state: "waiting", recordsPerSecond: 0, etaMs: null };

  function owing(debts: readonly object[]): void {
    answerAs({ ready: true, second: new URL(node.url).host });
    const others = node.intercept;
    node.intercept = (request) =>
      request.url === "/v1/hints"
        ? { status: 200, body: { node: "n1", debts } }
        : others?.(request);
  }

  it("shows what every node owes, to whom, and how fast it is paid", async () => {
    const delivering = { state: "delivering", recordsPerSecond: 400, etaMs: 30 };
    owing([waiting, { ...waiting, ...delivering, kind: "hints", bytes: 2048 }]);
    const shown = await run("hints");
    expect(shown.exit).toBe(0);
    expect(shown.stdout).toMatch(/^NODE +TARGET +KIND +RECORDS +BYTES +DIRTY PARTITIONS +STATE /mu);
    expect(shown.stdout).toMatch(/^n1 +n2 +missed +12 +- +3 +waiting +- +- +5\.0 s$/mu);
    expect(shown.stdout).toMatch(/^n2 +n2 +hints +12 +2\.0 KiB +3 +delivering +400 +0\.0 s/mu);
    const { nodes } = JSON.parse((await run("hints", "--json")).stdout);
    expect(nodes).toMatchObject([{ node: "n1", debts: [waiting, {}] }, { node: "n2" }]);
  });

  it("says that nobody owes anything, and exits 1 where a node does not say", async () => {
    owing([]);
    expect((await run("hints")).stderr).toContain("nobody owes anything");
    answerAs({ ready: true, second: "127.0.0.1:1" });
    const shown = await run("hints");
    expect(shown.exit).toBe(1);
    expect(shown.stderr).toContain("n2 does not say");
  });
});

describe("top of keys", () => {
  const hot = { bucket: "default", key: "YQ", perSecond: 300, errorPerSecond: 2.5 };
  const rest = { bucket: "other", key: "Yg", perSecond: 9.5, errorPerSecond: 0 };
  const reads = { perSecond: 400, floorPerSecond: 3, keys: [hot, rest] };
  const writes = { perSecond: 0, floorPerSecond: 0, keys: [] };

  it("shows rates, shares and how sure they are, and who is silent", async () => {
    const body = {
      node: "n1",
      halfLifeMs: 10_000,
      answered: ["n1"],
      silent: ["n2"],
      reads,
      writes,
    };
    node.intercept = ({ url }) =>
      url?.startsWith("/v1/hot?") === true ? { status: 200, body } : undefined;
    const shown = await run("top", "--reads", "--once");
    expect(shown.exit).toBe(0);
    expect(shown.stdout).toMatch(/^READ\/s +SHARE +LESS +BUCKET +KEY$/mu);
    expect(shown.stdout).toMatch(/^300 +75\.0 % +2\.5 +default +a$/mu);
    expect(shown.stdout).toMatch(/^9\.5 +2\.4 % +other +b$/mu);
    expect(shown.stdout).toContain("400 reads per second in all; no other key has more than 3.0.");
    expect(shown.stdout).toContain("n2 does not answer");
    const { stdout } = await run("top", "--writes", "--once", "--json");
    expect(JSON.parse(stdout)).toEqual({
      halfLifeMs: 10_000,
      answered: ["n1"],
      silent: ["n2"],
      writes,
    });
  });

  it("says that a node is too old to know", async () => {
    node.intercept = () => ({
      status: 404,
      body: { code: "bad-request", message: "no such route" },
    });
    expect((await run("top", "--reads", "--once")).exit).not.toBe(0);
  });
});

describe("repair", () => {
  const running = {
    number: 4,
    state: "running",
    elapsedMs: 1000,
    partitions: 2,
    partitionsDone: 1,
    keysCompared: 5,
    keysExchanged: 1,
    bytes: 2048,
    keysPerSecond: 5,
    etaMs: 500,
    failures: [],
  };
  const done = { ...running, state: "done", partitionsDone: 2, keysCompared: 10, etaMs: null };
  const view = { intervalMs: 60_000, lagMs: 0, oldest: null, peers: [] };

  /** Both members are the fake node; it answers each look with the next view of the repair. */
  function repairing(...repairs: readonly (object | null)[]): readonly string[] {
    answerAs({ ready: true, second: new URL(node.url).host });
    const others = node.intercept;
    const started: string[] = [];
    let looks = 0;
    node.intercept = (request) => {
      if (request.url === "/v1/repair") {
        started.push(request.method);
        return { status: 202, body: { node: "n", number: 4, partitions: 2, peers: 1 } };
      }
      if (request.url !== "/v1/anti-entropy") return others?.(request);
      looks += 1;
      return { status: 200, body: { ...view, repair: repairs[(looks - 1) % repairs.length] } };
    };
    return started;
  }

  it("follows each node's repair to its end, one after the other", async () => {
    const started = repairing(running, done);
    const shown = await run("repair", "--all");
    expect(shown.exit).toBe(0);
    expect(shown.stdout).toMatch(/^NODE +RESULT +PARTITIONS +COMPARED +EXCHANGED +BYTES +TIME$/mu);
    expect(shown.stdout).toMatch(/^n1 +done +2 of 2 +10 +1 +2\.0 KiB +1\.0 s\nn2 +done +/mu);
    expect(started).toEqual(["POST", "POST"]);
  });

  it("names what was not exchanged, and why, and exits 1", async () => {
    const failures = [{ peer: "n2", partitions: 1, problem: "unreachable" }];
    repairing({ ...done, state: "failed", partitionsDone: 1, failures });
    const shown = await run("repair", "--all", "--replica", "n1");
    expect(shown.exit).toBe(1);
    expect(shown.stdout).toMatch(/^n1 +failed +1 of 2 /mu);
    expect(shown.stderr).toContain("n1 has not compared with n2 1 partitions, of which it may");
    expect(shown.stderr).toMatch(/unreachable$/mu);
  });

  it.each([null, { ...done, number: 5 }])(
    "does not take another repair for its own: %j",
    async (other) => {
      repairing(running, other);
      const shown = await run("repair", "--all", "--replica", "n2", "--json");
      expect(shown.exit).toBe(1);
      expect(JSON.parse(shown.stdout)).toMatchObject({
        isDone: false,
        nodes: [{ node: "n2", problem: expect.stringContaining("knows nothing of the repair") }],
      });
    },
  );

  it("asks the owners of a partition only", async () => {
    const started = repairing(done);
    // Of the two partitions the second one is n2's alone.
    expect((await run("repair", "--partition", "1")).exit).toBe(0);
    expect(started).toHaveLength(1);
    const nobody = await run("repair", "--partition", "1", "--replica", "n1");
    expect(nobody.exit).toBe(1);
    expect(nobody.stderr).toContain("none of these nodes owns");
  });

  it("goes on with the others where one does not answer, and exits 1", async () => {
    repairing(done);
    const { intercept } = node;
    answerAs({ ready: true, second: "127.0.0.1:1" });
    const cluster = node.intercept;
    node.intercept = (request) =>
      request.url === "/v1/cluster" ? cluster(request) : intercept(request);
    const shown = await run("repair", "--all");
    expect(shown.exit).toBe(1);
    expect(shown.stdout).toMatch(/^n1 +done .*\nn2 +failed/mu);
    expect(shown.stderr).toMatch(/^n2 has not repaired: .*ECONNREFUSED/mu);
  });

  it("takes either all or partitions that there are", async () => {
    repairing(done);
    expect((await run("repair")).exit).toBe(2);
    expect((await run("repair", "--all", "--partition", "1")).exit).toBe(2);
    expect((await run("repair", "--partition", "2")).exit).toBe(3);
    expect((await run("repair", "--all", "--replica", "n9")).exit).toBe(3);
  });

  it("shows in status, as does what was not compared for long", async () => {
    const oldest = { partition: 7, peer: "n2" };
    repairing(running);
    const others = node.intercept;
    const peers = [{ peer: "n2", problem: "unreachable" }];
    const late = { ...view, lagMs: 200_000, oldest, peers, repair: running };
    node.intercept = (request) =>
      request.url === "/v1/anti-entropy" ? { status: 200, body: late } : others(request);
    const shown = await run("status");
    expect(shown.stdout).toMatch(/^NODE .* KEYS +COMPARED +DISK /u);
    expect(shown.stdout).toMatch(/^n1 .* 12 +3 min 20 s +2\.0 KiB/mu);
    expect(shown.stderr).toMatch(/^n1 repairs: 1 of 2 partitions {2}5 keys compared /mu);
    expect(shown.stderr).toContain("n1 has not compared partition 7 with n2 for 3 min 20 s: unre");
    const { nodes } = JSON.parse((await run("status", "--json")).stdout);
    expect(nodes[0].antiEntropy).toEqual({
      intervalMs: 60_000,
      lagMs: 200_000,
      oldest,
      repair: running,
    });
  });
});
