import type {
  CommitOutcome,
  MovesView,
  NodeApi,
  PlanView,
  Topology,
  TopologyMember,
} from "@coterie/cluster";
import { readBody } from "./body.ts";
import { failureResponse, jsonResponse, refuse } from "./responses.ts";
import type { RouteRequest } from "./route.ts";
import { parseCommitBody, parseForcingBody, parseTopologyBody } from "./topology-body.ts";

/** Names are short. */
const bodyBytesMax = 64 * 1024;

/** `GET /v1/topology`: members, who would be one, and what moves between them. */
export function serveTopology({ parts: { node } }: RouteRequest): Response {
  const topology = node.topology();
  if (topology === undefined) return notReady(node);
  const { members, offers, ...rest } = topology.view();
  return jsonResponse({
    ...rest,
    members: members.map(memberJson),
    offers: offers.map(({ member, ageMs }) => {
      const { id, address, http, grpc, resp, host, zone, weight } = member;
      const ago = Math.round(ageMs);
      return { id, address, http, grpc, resp, host, zone, weight, ageMs: ago };
    }),
    own: movesJson(node.moves()),
  });
}

/** How far the asked node itself is. */
function movesJson(view: MovesView | undefined): object | null {
  if (view === undefined) return null;
  const { keysPerSecond, etaMs, counts, ...rest } = view;
  const { keys, bytes } = counts;
  const eta = etaMs === undefined ? null : Math.round(etaMs);
  return { ...rest, keys, bytes, keysPerSecond: Math.round(keysPerSecond), etaMs: eta };
}

/** `POST /v1/plan`: what a change of the members would come to. Nothing happens. */
export async function servePlan(request: RouteRequest): Promise<Response> {
  const topology = request.parts.node.topology();
  if (topology === undefined) return notReady(request.parts.node);
  const body = await bodyOf(request);
  if (body instanceof Response) return body;
  const asked = parseTopologyBody(body);
  if (asked instanceof Response) return asked;
  const outcome = topology.plan(asked);
  return outcome.ok ? jsonResponse(planJson(outcome.plan)) : failureResponse(outcome);
}

/** `POST /v1/commit`: does what a plan has shown. */
export async function serveCommit(request: RouteRequest): Promise<Response> {
  const topology = request.parts.node.topology();
  if (topology === undefined) return notReady(request.parts.node);
  const body = await bodyOf(request);
  if (body instanceof Response) return body;
  const commitment = parseCommitBody(body);
  if (commitment instanceof Response) return commitment;
  return committed(await topology.commit(commitment));
}

/** `POST /v1/abort`: takes back the moves that are not over. */
export function serveAbort(request: RouteRequest): Promise<Response> {
  return serveWord(request, (topology) => topology.abort());
}

/** `POST /v1/pause`: what moves stands still. */
export function servePause(request: RouteRequest): Promise<Response> {
  return serveWord(request, (topology) => topology.pause(true));
}

/** `POST /v1/resume`: what moves goes on. */
export function serveResume(request: RouteRequest): Promise<Response> {
  return serveWord(request, (topology) => topology.pause(false));
}

/** `POST /v1/force-voters`: goes on without voters that are gone for good. */
export async function serveForcing(request: RouteRequest): Promise<Response> {
  const topology = request.parts.node.topology();
  if (topology === undefined) return notReady(request.parts.node);
  const body = await bodyOf(request);
  if (body instanceof Response) return body;
  const order = parseForcingBody(body);
  if (order instanceof Response) return order;
  const outcome = await topology.forceVoters(order);
  if (!outcome.ok) return failureResponse(outcome);
  const { epoch, lost } = outcome;
  return jsonResponse({ epoch, lost });
}

/** What is asked for by its path alone. */
async function serveWord(
  request: RouteRequest,
  act: (topology: Topology) => Promise<CommitOutcome>,
): Promise<Response> {
  const topology: Topology | undefined = request.parts.node.topology();
  if (topology === undefined) return notReady(request.parts.node);
  const body = await bodyOf(request);
  if (body instanceof Response) return body;
  if (body.length > 0) return refuse("bad-request", "nothing more is to be said of it");
  return committed(await act(topology));
}

async function bodyOf({ parts, context, facts }: RouteRequest): Promise<Uint8Array | Response> {
  if (facts.query !== "") return refuse("bad-request", "what is to change is said in the body");
  return readBody(context, facts, bodyBytesMax, parts.budget);
}

function committed(outcome: CommitOutcome): Response {
  if (!outcome.ok) return failureResponse(outcome);
  const { epoch, partitions } = outcome;
  return jsonResponse({ epoch, partitions });
}

function memberJson(member: TopologyMember): object {
  const { id, address, http, grpc, resp, host, zone, weight, departure, state, vote } = member;
  const { copies, copiesAfter, awaits, leftovers } = member;
  const doors = { id, address, http, grpc, resp };
  const labels = { host, zone, weight, state, departure: departure ?? null, vote };
  return { ...doors, ...labels, copies, copiesAfter, awaits, leftovers };
}

function planJson({ bytes, durationMsMin, members, transfers, ...rest }: PlanView): object {
  return {
    ...rest,
    members: members.map((load) => ({ ...load, bytes: load.bytes ?? null })),
    transfers: transfers.map(({ from, to, copies }) => ({ from: from ?? null, to, copies })),
    bytes: bytes ?? null,
    durationMsMin: durationMsMin ?? null,
  };
}

/** The answer of a node that has no topology yet. */
export function notReady(node: NodeApi): Response {
  return refuse("not-ready", `${node.id} waits for: ${node.missing().join("; ")}`);
}
