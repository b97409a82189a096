import { createHash } from "node:crypto";
import {
  type ClusterDocument,
  type Member,
  type SlotRange,
  redisSlotOf,
  redisSlots,
  slotRanges,
  slotsByNode,
} from "@coterie/core";
import { type RespReply, respMap, respStatus } from "@coterie/protocol";
import { hostOf, portOf } from "../../../config/addresses.ts";
import { type Command, type CommandRow, commandGroup } from "../command.ts";
import { writerRole } from "../redis-words.ts";
import type { RespCall } from "../resp-call.ts";
import type { RespService } from "../resp-service.ts";

const flags = "loading stale";

/**
 * What clients that know clusters ask. Every node is told to take writes, and none to be a replica:
 * each carries out every command, and who is named for a slot is merely the best.
 */
export const clusterCommands: readonly Command<RespCall>[] = commandGroup("cluster", [
  {
    name: "cluster",
    arity: -2,
    since: "3.0.0",
    summary: "Commands about the cluster, for clients that send commands to owners of keys",
    subcommands: [
      about("slots", 2, "3.0.0", "Ranges of slots, and the node that is best for each", slots),
      about("shards", 2, "7.0.0", "The nodes, and the slots that each is best for", shards),
      about("nodes", 2, "3.0.0", "The nodes as lines of text", nodes),
      about("info", 2, "3.0.0", "The state of the cluster, as this node sees it", info),
      about("myid", 2, "3.0.0", "This node's id, as CLUSTER NODES has it", (call) =>
        call.settle(nodeId(documentOf(call.service), call.service.node.id)),
      ),
      about("keyslot", 3, "3.0.0", "The slot of a key: of its hash tag, if it has one", (call) =>
        call.settle(redisSlotOf(call.word(2))),
      ),
      about("replicas", 3, "5.0.0", "Nobody: every node takes writes itself", (call) =>
        call.settle([]),
      ),
      about("help", 2, "5.0.0", "What CLUSTER can do", (call) => call.settle(help)),
    ],
  },
  taken("readonly", "3.0.0", "Taken, and of no effect: every node serves reads"),
  taken("readwrite", "3.0.0", "Taken, and of no effect: every node takes writes"),
  taken("asking", "3.0.0", "Taken, and of no effect: no slot is ever on its way"),
]);

function about(
  name: string,
  arity: number,
  since: string,
  summary: string,
  run: (call: RespCall) => void,
): CommandRow<RespCall> {
  return { name, arity, flags, since, summary, run };
}

function taken(name: string, since: string, summary: string): CommandRow<RespCall> {
  return {
    name,
    arity: 1,
    flags: `${flags} fast`,
    since,
    summary,
    run: (call) => call.succeed(),
  };
}

const help: readonly RespReply[] = [
  "CLUSTER <subcommand> [<arg> ...]. Subcommands are:",
  "SLOTS, SHARDS, NODES: the nodes, and the slots that each is best for.",
  "INFO: the state of the cluster, as this node sees it.",
  "KEYSLOT <key>: the slot of a key.",
  "MYID: this node's id.",
].map(respStatus);

function documentOf({ node }: RespService): ClusterDocument | undefined {
  return node.document();
}

/** 40 hex digits, as clients expect, and the same at every node. */
function nodeId(document: ClusterDocument | undefined, id: string): string {
  return createHash("sha1").update(`${document?.clusterId} ${id}`).digest("hex");
}

/** The document, or a refusal: nobody knows who has which slot before the cluster has formed. */
function formed(call: RespCall): ClusterDocument | undefined {
  const document = documentOf(call.service);
  if (document !== undefined) return document;
  return call.refuse("LOADING not-ready: the cluster has not formed yet");
}

/** Where clients find a member's door; this node's may be another by now than it joined with. */
function addressOf({ node, address }: RespService, member: Member): string {
  return member.id === node.id ? address : member.resp;
}

function servingTest(service: RespService): (member: Member) => boolean {
  const away = new Set<string>();
  for (const { id, isReachable } of service.node.peers()) if (!isReachable) away.add(id);
  return (member) => addressOf(service, member) !== "" && !away.has(member.id);
}

/** One node for each: what others would be told as replicas may be the best for other slots. */
function rangesOf(service: RespService, document: ClusterDocument): readonly SlotRange[] {
  return slotRanges(document, { n: 1, isServing: servingTest(service) });
}

function slots(call: RespCall): void {
  const { service } = call;
  const document = formed(call);
  if (document === undefined) return;
  call.settle(
    rangesOf(service, document).map(({ first, last, members }) => [
      first,
      last,
      ...members.map((member) => {
        const address = addressOf(service, member);
        return [hostOf(address), portOf(address), nodeId(document, member.id), []];
      }),
    ]),
  );
}

function shards(call: RespCall): void {
  const { service } = call;
  const document = formed(call);
  if (document === undefined) return;
  call.settle(
    slotsByNode(rangesOf(service, document)).map(({ member, ranges }) => {
      const address = addressOf(service, member);
      const host = hostOf(address);
      const entries: RespReply[] = ["id", nodeId(document, member.id), "port", portOf(address)];
      entries.push("ip", host, "endpoint", host, "role", writerRole);
      entries.push("replication-offset", 0, "health", "online");
      const node = respMap(...entries);
      return respMap(
        "slots",
        ranges.flatMap(({ first, last }) => [first, last]),
        "nodes",
        [node],
      );
    }),
  );
}

function nodes(call: RespCall): void {
  const { service } = call;
  const document = formed(call);
  if (document === undefined) return;
  const isServing = servingTest(service);
  const byNode = new Map(
    slotsByNode(rangesOf(service, document)).map(({ member, ranges }) => [member, ranges]),
  );
  const lines = document.members.flatMap((member) => {
    const address = addressOf(service, member);
    if (address === "") return [];
    const isHere = isServing(member);
    const self = member.id === service.node.id ? "myself," : "";
    const role = `${self}${writerRole}${isHere ? "" : ",fail"}`;
    const ranges = (byNode.get(member) ?? []).map(({ first, last }) =>
      first === last ? `${first}` : `${first}-${last}`,
    );
    const place = `${hostOf(address)}:${portOf(address)}@${portOf(member.address)}`;
    const link = isHere ? "connected" : "disconnected";
    const words = [nodeId(document, member.id), place, role, "-", 0, 0, document.epoch, link];
    return [`${[...words, ...ranges].join(" ")}\n`];
  });
  call.settle({ kind: "verbatim", text: lines.join("") });
}

function info(call: RespCall): void {
  const document = documentOf(call.service);
  const members = document?.members ?? [];
  const isServing = servingTest(call.service);
  const assigned = document === undefined ? 0 : redisSlots;
  const fields = {
    cluster_enabled: 1,
    cluster_state: document === undefined ? "fail" : "ok",
    cluster_slots_assigned: assigned,
    cluster_slots_ok: assigned,
    cluster_slots_pfail: 0,
    cluster_slots_fail: 0,
    cluster_known_nodes: members.length,
    cluster_size: members.filter(isServing).length,
    cluster_current_epoch: document?.epoch ?? 0,
    cluster_my_epoch: document?.epoch ?? 0,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}:${value}\r\n`);
  call.settle({ kind: "verbatim", text: lines.join("") });
}
