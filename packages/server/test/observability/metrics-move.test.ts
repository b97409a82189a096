import { execFileSync } from "node:child_process";
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  writeSync,
  readFileSync,
  rmSync,
  statfsSync,
} from "node:fs";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PeerRequest } from "@coterie/cluster";
import { limits } from "@coterie/core";
import { Client, credentials } from "@grpc/grpc-js";
import { OperationBatch } from "@coterie/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NodeRandom } from "../../src/adapters/node-random.ts";
import { PeerNetwork } from "../../src/adapters/peer-network/peer-network.ts";
import { PeerServer } from "../../src/adapters/peer-network/peer-server.ts";
import { SystemClock } from "../../src/adapters/system-clock.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { openLog } from "../../src/observability/log.ts";
import type { RunningServer } from "../../src/running-server.ts";
import { startServer } from "../../src/start-server.ts";
import { GrpcClient, getOf, putOf } from "../grpc/grpc-client.ts";
import { type MeteredNode, meteredNode } from "./metered-node.ts";
import { type Scrape, doingUntil, movedBetween, parseScrape } from "./scrape.ts";

/** These have tests of their own beside this one. */
const elsewhere =
  /^coterie_(?:mem|hint|hando|circ|anti|grpc_b|re(?:f|ap|ads_p|co)|dire|mov|hot|gets_|vers|wr)/u;
/** Every metric of the page, which another test holds to the code. */
const documented = [
  ...readFileSync(
    new URL("../../../../docs/operations/metrics.md", import.meta.url),
    "utf8",
  ).matchAll(/^\| `(coterie_\w+)` \|/gmu),
].flatMap(([, name = ""]) => (elsewhere.test(name) ? [] : name));

const mergeOfNothing = { kind: "merge", fence: 0, record: new Uint8Array(4) } as const;

/** These say what is, and stay. */
const constants = [
  "coterie_build_info",
  "coterie_data_info",
  "coterie_disk_total_bytes",
  "coterie_process_open_files_max",
  "coterie_process_start_time_seconds",
];

const moved = new Set<string>();
/** How long a metric may take to move. */
const patienceMs = 15_000;
const directory = mkdtempSync(join(tmpdir(), "coterie-metrics-"));
const clock = new SystemClock();
const agent = new Agent({ keepAlive: true });

/** Two servers, and a node whose peer door a test may hold shut. */
let one: RunningServer;
let two: RunningServer;
let third: MeteredNode;
let thirdDoor: PeerServer;
let thirdPort: number;
let isThirdSilent = false;

function configOf(id: string, flags: Readonly<Record<string, unknown>>) {
  const loaded = loadConfig({
    env: {},
    flags: {
      id,
      data: join(directory, id),
      http: "127.0.0.1:0",
      grpc: "127.0.0.1:0",
      resp: "127.0.0.1:0",
      partitions: 8,
      segmentBytes: 1024 * 1024,
      reserveBytes: 0,
      inFlight: 4,
      hedgePercentMax: 0,
      logLevel: "silent",
      ...flags,
    },
  });
  if (!loaded.ok) throw new Error(loaded.message);
  return loaded.config;
}

async function openThirdDoor(port: number): Promise<number> {
  thirdDoor = new PeerServer({
    clock,
    receive: (asked, deadline, settle) => {
      if (!isThirdSilent) third.node.receive(asked, deadline, settle);
    },
  });
  const listening = await thirdDoor.listen("127.0.0.1", port);
  if (!listening.ok) throw new Error(listening.message);
  return listening.port;
}

async function freePeerAddress(): Promise<string> {
  const door = new PeerServer({ clock, receive: () => undefined });
  const listening = await door.listen("127.0.0.1", 0);
  await door.close();
  return `127.0.0.1:${listening.ok ? listening.port : 0}`;
}

beforeAll(async () => {
  const addresses = [await freePeerAddress(), await freePeerAddress(), await freePeerAddress()];
  const [first = "", second = "", last = ""] = addresses;
  const network = new PeerNetwork({ clock, random: new NodeRandom() });
  third = meteredNode({
    member: { id: "n3", address: last },
    bootstrap: addresses,
    network,
    nMax: 3,
  });
  const bootstrap = addresses.join(",");
  const opened = await Promise.all(
    [
      ["n1", first],
      ["n2", second],
    ].map(([id = "", peer = ""]) => {
      // What a node missed is left to the read that repairs it.
      const config = configOf(id, { peer, bootstrap, handoffBytes: 0 });
      const onFatal = (reason: string): never => {
        throw new Error(reason);
      };
      return startServer(config, { log: openLog(config), onFatal });
    }),
  );
  for (const start of opened) if (!start.ok) throw new Error(start.message);
  [one, two] = opened.map((start) => start.ok && start.server) as [RunningServer, RunningServer];
  const before = await scrape();
  thirdPort = await openThirdDoor(Number(last.split(":")[1]));
  const outcomes = await Promise.all([one.started, two.started, third.node.start()]);
  if (!outcomes.every(({ ok }) => ok)) throw new Error(JSON.stringify(outcomes));
  await unmoved(before, ["coterie_ready", "coterie_members", "coterie_epoch"]);
});

afterAll(async () => {
  isThirdSilent = false;
  await Promise.all([one.drain(), two.drain()]);
  await third.node.stop();
  await thirdDoor.close();
  third.metrics.stop();
  agent.destroy();
  rmSync(directory, { recursive: true });
});

async function scrape(): Promise<Scrape> {
  return parseScrape(await (await fetch(`http://${one.http}/metrics`)).text());
}

/** Notes which of these metrics of n1 have moved; returns those that did not, for a while. */
async function unmoved(before: Scrape, names: readonly string[]): Promise<readonly string[]> {
  return stillSince(before, names, scrape);
}

async function stillSince(
  before: Scrape,
  names: readonly string[],
  read: () => Promise<Scrape>,
): Promise<readonly string[]> {
  let still = names;
  for (const end = Date.now() + patienceMs; still.length > 0 && Date.now() < end;) {
    const now = movedBetween(before, await read());
    for (const name of still) if (now.has(name)) moved.add(name);
    still = still.filter((name) => !now.has(name));
    if (still.length > 0) await sleep(20);
  }
  return still;
}

function keyUrl(key: string, query: string = "", bucket: string = "default"): string {
  return `http://${one.http}/v1/buckets/${bucket}/keys/${key}${query}`;
}

async function put(key: string, value: string | Uint8Array, query: string = ""): Promise<number> {
  const response = await fetch(keyUrl(key, query), { method: "PUT", body: value });
  await response.arrayBuffer();
  return response.status;
}

async function get(key: string, query: string = ""): Promise<number> {
  const response = await fetch(keyUrl(key, query));
  await response.arrayBuffer();
  return response.status;
}

describe("at a node that serves", () => {
  it("requests, their failures and their times move", async () => {
    const before = await scrape();
    expect(await put("a", "value")).toBe(204);
    expect(await get("a")).toBe(200);
    await fetch(keyUrl("a"), { method: "DELETE" });
    const headers = { "Coterie-Context": "AAAA" };
    expect((await fetch(keyUrl("a"), { method: "PUT", body: "x", headers })).status).toBe(400);
    expect(
      await unmoved(before, [
        "coterie_http_requests_total",
        "coterie_http_request_seconds",
        "coterie_puts_total",
        "coterie_put_bytes_total",
        "coterie_gets_total",
        "coterie_deletes_total",
        "coterie_failures_total",
      ]),
    ).toEqual([]);
    expect((await scrape()).get('coterie_failures_total{code="bad-context"}')).toBe(1);
  });

  it("lines of a batch move, by status", async () => {
    const before = await scrape();
    const answer = await fetch(`http://${one.http}/v1/batch`, {
      method: "POST",
      headers: { "Content-Type": "application/x-ndjson" },
      body: '{"op":"put","key":"l","value":"v"}\n{"op":"get","key":"none"}\nno JSON\n',
    });
    expect(await answer.text()).toContain('"lines":3,"failed":1');
    expect(await unmoved(before, ["coterie_http_batch_lines_total"])).toEqual([]);
    const now = await scrape();
    const lines = [204, 404, 400].map((status) =>
      now.get(`coterie_http_batch_lines_total{status="${status}"}`),
    );
    expect(lines).toEqual([1, 1, 1]);
  });

  it("answers that a client leaves unread move", async () => {
    // At every replica, and with time enough: a busy machine takes seconds for so many bytes.
    const patient = "timeout=60000";
    expect(await put("unread", new Uint8Array(7_000_000), `?w=3&${patient}`)).toBe(204);
    const before = await scrape();
    // A socket that nobody ever reads: the system widens the buffer of one that is read.
    const [host = "", port = ""] = one.http.split(":");
    const socket = connect({ host, port: Number(port) });
    const target = `/v1/buckets/default/keys/unread?${patient}`;
    socket.write(`GET ${target} HTTP/1.1\r\nHost: ${one.http}\r\n\r\n`);
    expect(await unmoved(before, ["coterie_unread_bytes"])).toEqual([]);
    expect((await scrape()).get('coterie_unread_bytes{door="http"}')).toBe(7_000_000);
    socket.destroy();
  });

  it("what comes through a Pipe moves", async () => {
    const before = await scrape();
    const client = new GrpcClient(one.grpc);
    const pipe = client.pipe();
    expect(await pipe.ask(putOf("piped", "x"))[0]).toMatchObject({ kind: "write" });
    pipe.send([7, getOf("piped")], [7, { kind: "cancel" }]);
    pipe.call.write(Uint8Array.of(0x0a, 5, 0x0d, 9, 0, 0, 0));
    expect(
      await unmoved(before, [
        "coterie_grpc_requests_total",
        "coterie_grpc_request_seconds",
        "coterie_grpc_pipes",
        "coterie_grpc_pipe_messages_total",
        "coterie_grpc_pipe_requests_total",
        "coterie_grpc_pipe_reply_messages_total",
        "coterie_grpc_pipe_replies_total",
        "coterie_grpc_pipe_received_bytes_total",
        "coterie_grpc_pipe_sent_bytes_total",
        "coterie_grpc_pipe_malformed_total",
        "coterie_grpc_pipe_cancelled_total",
      ]),
    ).toEqual([]);
    client.close();
  });

  it("what its store does moves", async () => {
    const before = await scrape();
    for (let at = 0; at < 5; at += 1) await put(`big${at}`, new Uint8Array(400_000));
    for (let at = 0; at < 5; at += 1) await put(`big${at}`, "beside");
    expect(
      await unmoved(before, [
        "coterie_store_keys",
        "coterie_store_index_bytes",
        "coterie_store_segments",
        "coterie_store_live_bytes",
        "coterie_store_dead_bytes",
        "coterie_store_disk_bytes",
        "coterie_store_appended_bytes_total",
        "coterie_store_appended_records_total",
        "coterie_store_groups_total",
        "coterie_store_fsyncs_total",
        "coterie_store_fsync_seconds",
      ]),
    ).toEqual([]);
    const read = await scrape();
    const cached = ["coterie_store_cache_reads_total"];
    expect(await doingUntil(() => get("big4", "?r=3"), unmoved(read, cached))).toEqual([]);
  });

  it("siblings move, by bucket", async () => {
    const before = await scrape();
    const writes = Array.from({ length: limits.siblingsPerKeyWarn }, (_, at) => `v${at}`);
    for (const value of writes) await put("many", value);
    expect(await get("many")).toBe(300);
    expect(
      await unmoved(before, [
        "coterie_siblings",
        "coterie_sibling_reads_total",
        "coterie_sibling_warnings_total",
        "coterie_siblings_max",
      ]),
    ).toEqual([]);
    const sum = (await scrape()).get('coterie_siblings_sum{bucket="default"}') ?? 0;
    expect(sum).toBeGreaterThanOrEqual(writes.length);
  });

  it("what goes between nodes moves", async () => {
    const before = await scrape();
    for (let at = 0; at < 4; at += 1) await put(`between${at}`, "v", "?w=3");
    await fetch(`http://${two.http}/v1/buckets/default/keys/x`, { method: "PUT", body: "v" });
    expect(
      await unmoved(before, [
        "coterie_peer_messages_sent_total",
        "coterie_peer_messages_received_total",
        "coterie_peer_operations_sent_total",
        "coterie_peer_operations_received_total",
        "coterie_peer_sent_bytes_total",
        "coterie_peer_received_bytes_total",
        "coterie_peer_requests_served_total",
      ]),
    ).toEqual([]);
    const stamped = await scrape();
    const network = new PeerNetwork({ clock, random: new NodeRandom() });
    const stray: PeerRequest = { ...mergeOfNothing, stamp: { epoch: 9, tag: 1 } };
    await new Promise((resolve) => {
      network.call(one.peer as never, stray, clock.monotonicMs() + 5000, resolve);
    });
    expect(await unmoved(stamped, ["coterie_stale_epochs_total"])).toEqual([]);
    network.close();
  });

  it("what Redis clients do moves", async () => {
    const before = await scrape();
    const socket = connect(Number(one.resp.split(":")[1]), "127.0.0.1");
    socket.write("SET a b\r\nGET a\r\n*-x\r\n");
    const [first] = (await once(socket, "data")) as [Buffer];
    expect(first.toString()).toMatch(/^\+OK\r\n/u);
    expect(
      await unmoved(before, [
        "coterie_resp_commands_total",
        "coterie_resp_command_seconds",
        "coterie_resp_connections_total",
        "coterie_resp_closed_total",
        "coterie_resp_received_bytes_total",
        "coterie_resp_sent_bytes_total",
      ]),
    ).toEqual([]);
    socket.destroy();
  });

  it("what is malformed or late moves", async () => {
    const before = await scrape();
    const client = new Client(one.peer, credentials.createInsecure());
    const asIs = (bytes: Buffer): Buffer => bytes;
    const path = "/coterie.peer.v1.Peer/Replicate";
    const call = client.makeBidiStreamRequest<Buffer, Buffer>(path, asIs, asIs);
    call.on("error", () => undefined).on("data", () => undefined);
    const batch = new OperationBatch();
    call.write(Buffer.from(batch.take(5000)));
    batch.add(1, 4999, { ...mergeOfNothing, stamp: { epoch: 1, tag: 2 } });
    call.write(Buffer.from(batch.take(5000)));
    expect(await unmoved(before, ["coterie_peer_expired_total"])).toEqual([]);
    call.write(Buffer.alloc(64, 0xff));
    expect(await unmoved(before, ["coterie_peer_malformed_total"])).toEqual([]);
    client.close();
  });

  it("connections, open files and the disk's space move", async () => {
    const before = await scrape();
    const file = openSync(join(directory, "ballast"), "w");
    writeSync(file, new Uint8Array(4 * 1024 * 1024).fill(1));
    fsyncSync(file);
    closeSync(file);
    expect(await unmoved(before, ["coterie_disk_available_bytes"])).toEqual([]);
    const sockets = [1, 2, 3].map(() => {
      const asked = request(`http://${one.http}/livez`, { agent, method: "POST" });
      asked.on("error", () => undefined).flushHeaders();
      return asked;
    });
    expect(await unmoved(before, ["coterie_connections", "coterie_process_open_files"])).toEqual(
      [],
    );
    for (const socket of sockets) socket.destroy();
  });
});

describe("while a replica is silent", () => {
  it("waiting, hedging, timeouts and overload move", async () => {
    const before = await scrape();
    const hedging = [
      "coterie_hedged_reads_total",
      "coterie_hedges_won_total",
      "coterie_hedges_suppressed_total",
      "coterie_read_probes_total",
    ];
    const silence = async (): Promise<void> => {
      isThirdSilent = true; // And read at once: before long nobody asks it.
      for (let at = 0; at < 20; at += 1) await get(`hedge${at}`);
      isThirdSilent = false;
      while ((await put("closed", "v", "?w=3")) !== 204) await sleep(50);
    };
    expect(await doingUntil(silence, unmoved(before, hedging))).toEqual([]);
    isThirdSilent = true;
    const waiting = Array.from({ length: 6 }, (_, at) => put(`wait${at}`, "v", "?w=3&timeout=500"));
    expect(
      await unmoved(before, [
        "coterie_requests_in_flight",
        "coterie_requests_in_flight_bytes",
        "coterie_pressure",
        "coterie_peer_pending",
        "coterie_overloads_total",
      ]),
    ).toEqual([]);
    const codes = (await Promise.all(waiting)).toSorted((left, right) => left - right);
    expect(codes).toEqual([429, 429, 504, 504, 504, 504]);
    expect(await unmoved(before, ["coterie_timeouts_total"])).toEqual([]);
    isThirdSilent = false;
  });
});

describe("when values expire", () => {
  it("those that a put finds expired are counted", async () => {
    const before = await scrape();
    const headers = { "Coterie-Expires-At": "2001-01-01T00:00:00Z" };
    const put = { method: "PUT", body: "v", headers };
    for (let at = 0; at < 2; at += 1) expect((await fetch(keyUrl("brief"), put)).status).toBe(204);
    expect(await unmoved(before, ["coterie_expired_siblings_total"])).toEqual([]);
  });
});

describe("while a replica is away", () => {
  it("refusals, quorum failures, reconnections and repairs move", async () => {
    const before = await scrape();
    await thirdDoor.close();
    expect(await unmoved(before, ["coterie_peer_reachable"])).toEqual([]);
    expect(await put("away", "v", "?w=3")).toBe(503);
    expect(await put("behind", "v", "?w=2")).toBe(204);
    expect(
      await unmoved(before, ["coterie_peer_refusals_total", "coterie_quorum_failures_total"]),
    ).toEqual([]);
    thirdPort = await openThirdDoor(thirdPort);
    expect(await unmoved(before, ["coterie_peer_reconnects_total"])).toEqual([]);
    await expect.poll(() => get("behind", "?r=3"), { timeout: patienceMs }).toBe(200);
    expect(await unmoved(before, ["coterie_read_repairs_total"])).toEqual([]);
  });
});

describe("of the process", () => {
  it("memory, processor, delays and pauses move", async () => {
    const before = await scrape();
    // The longest delay of the minute moves only when a longer one comes.
    const latestMs = (before.get("coterie_event_loop_delay_max_seconds") ?? 0) * 1000;
    const end = performance.now() + latestMs + 150;
    let kept: unknown[] = [];
    while (performance.now() < end) kept = kept.length > 200_000 ? [] : [...kept, { at: kept }];
    const buffers = Array.from({ length: 32 }, () => new Uint8Array(1024 * 1024).fill(1));
    expect(
      await unmoved(before, [
        "coterie_event_loop_delay_p99_seconds",
        "coterie_event_loop_delay_max_seconds",
        "coterie_process_cpu_seconds_total",
        "coterie_process_resident_bytes",
        "coterie_process_heap_bytes",
        "coterie_process_buffer_bytes",
        "coterie_gc_pause_seconds",
        "coterie_wall_clock_seconds",
      ]),
    ).toEqual([]);
    expect(buffers.length + kept.length).toBeGreaterThan(0);
    const delay = (await scrape()).get("coterie_event_loop_delay_max_seconds") ?? 0;
    expect(delay).toBeGreaterThan(0.05);
  });

  it("what stays is true", async () => {
    const now = await scrape();
    const { blocks, bsize } = statfsSync(directory);
    expect(now.get("coterie_disk_total_bytes")).toBe(blocks * bsize);
    const text = [...now.keys()].join("\n");
    expect(text).toMatch(
      new RegExp(`coterie_build_info\\{version="[\\d.]+",node="${process.versions.node}"\\}`, "u"),
    );
    expect(text).toMatch(/coterie_data_info\{filesystem="\w+",durability="fsync",engine="log"\}/u);
    const ulimit = execFileSync("sh", ["-c", "ulimit -Sn"], { encoding: "utf8" }).trim();
    expect(String(now.get("coterie_process_open_files_max"))).toBe(ulimit);
    const startedAt = now.get("coterie_process_start_time_seconds") ?? 0;
    expect(Math.abs(startedAt - (Date.now() / 1000 - process.uptime()))).toBeLessThan(5);
  });
});

describe("of a store that nobody else uses", () => {
  const bytes = (size: number, fill: number): Uint8Array => new Uint8Array(size).fill(fill);

  async function write(lone: MeteredNode, key: number, value: Uint8Array): Promise<boolean> {
    const written = await lone.node.put(
      { bucket: "default", key: new Uint8Array([key]) },
      {
        value,
        contentType: "",
        context: undefined,
        writeId: undefined,
        returnBody: false,
        ifAbsent: false,
      },
      {},
    );
    return written.ok;
  }

  it("queues, reads, compaction, checkpoints, scrubs and damage move", async () => {
    const lone = meteredNode();
    await lone.node.start();
    const scrapeLone = async (): Promise<Scrape> => parseScrape((await lone.metrics.render()).text);
    const still = (before: Scrape, names: readonly string[]): Promise<readonly string[]> =>
      stillSince(before, names, scrapeLone);
    const before = await scrapeLone();
    lone.disk.syncDelayMs = 100;
    const first = write(lone, 1, bytes(500_000, 1));
    expect(
      await still(before, ["coterie_store_queue_bytes", "coterie_store_queue_operations"]),
    ).toEqual([]);
    await first;
    lone.disk.syncDelayMs = 0;
    expect(await still(before, ["coterie_store_fsync_max_seconds"])).toEqual([]);
    expect((await scrapeLone()).get("coterie_store_fsync_max_seconds")).toBeGreaterThan(0.04);
    for (let round = 0; round < 40; round += 1) {
      await write(lone, 100 + round, bytes(50_000, round));
      const key = { bucket: "default", key: new Uint8Array([2]) };
      await lone.node.delete(key, undefined, {});
      await write(lone, 2, bytes(500_000, round));
    }
    await lone.node.get({ bucket: "default", key: new Uint8Array([1]) }, {});
    expect(
      await still(before, [
        "coterie_store_disk_reads_total",
        "coterie_store_compactions_total",
        "coterie_store_compacted_bytes_total",
        "coterie_store_checkpoints_total",
        "coterie_store_scrubbed_bytes_total",
      ]),
    ).toEqual([]);
    lone.disk.isRotten = true;
    await lone.node.get({ bucket: "default", key: new Uint8Array([1]) }, {});
    expect(await still(before, ["coterie_store_damaged_records_total"])).toEqual([]);
    lone.disk.isRotten = false;
    lone.disk.isFull = true;
    for (let key = 10; await write(lone, key, bytes(400_000, 0)); key += 1);
    expect(await still(before, ["coterie_store_disk_full"])).toEqual([]);
    lone.disk.isFull = false;
    await lone.node.stop();
    lone.metrics.stop();
  });
});

describe("of a node that does not own every key", () => {
  it("forwards move", async () => {
    const addresses = [await freePeerAddress(), await freePeerAddress()];
    const pair = await Promise.all(
      addresses.map(async (peer, at) => {
        const config = configOf(`p${at}`, {
          peer,
          memory: true,
          bootstrap: addresses.join(","),
          buckets: { single: { n: 1 } },
        });
        const onFatal = (reason: string): never => {
          throw new Error(reason);
        };
        const start = await startServer(config, { log: openLog(config), onFatal });
        if (!start.ok) throw new Error(start.message);
        return start.server;
      }),
    );
    await Promise.all(pair.map((server) => server.started));
    const [asked] = pair as [RunningServer, RunningServer];
    const read = async (): Promise<Scrape> =>
      parseScrape(await (await fetch(`http://${asked.http}/metrics`)).text());
    const before = await read();
    for (let at = 0; at < 20; at += 1) {
      const url = `http://${asked.http}/v1/buckets/single/keys/k${at}`;
      expect((await fetch(url, { method: "PUT", body: "v" })).status).toBe(204);
    }
    expect(movedBetween(before, await read()).has("coterie_forwards_total")).toBe(true);
    moved.add("coterie_forwards_total");
    await Promise.all(pair.map((server) => server.drain()));
  });
});

it("every documented metric has moved, or is known to stay", () => {
  expect(documented.filter((name) => !moved.has(name) && !constants.includes(name))).toEqual([]);
  expect(documented.length).toBeGreaterThan(70);
});
