import { type Json, count, list, memberState, object, text } from "./schema-parts.ts";

const ids = { ...list(text), description: "Names of nodes." };
const nullable = (description: string): Json => ({
  type: ["integer", "null"],
  minimum: 0,
  description,
});

const labels = {
  id: text,
  address: text,
  http: text,
  grpc: text,
  resp: text,
  host: text,
  zone: text,
  weight: count,
};
const dead = {
  type: "boolean",
  description: "It will not come back: what only it holds is given up.",
};
const change = {
  join: { ...ids, description: "Nodes that offer themselves." },
  leave: { ...ids, description: "They hand over what they hold first." },
  remove: { ...ids, description: "They are gone for good." },
  replace: list(object({ id: text, by: text, dead }, ["id", "by"])),
  set: list(object({ id: text, weight: count, zone: text, host: text }, ["id"])),
};

const ownMoves = object({
  awaited: { ...count, description: "Partitions that it has not got all of." },
  leftover: { ...count, description: "Partitions of which it has a copy left." },
  exchanges: { ...count, description: "That this takes, of one partition with one member each." },
  exchangesDone: count,
  keysPerSecond: { ...count, description: "While anything is left." },
  etaMs: nullable("At the rate so far; null while there is none."),
  keys: { ...count, description: "Made alike by such exchanges since the start." },
  bytes: { ...count, description: "Sent and received for that." },
  problems: {
    ...list(object({ peer: text, problem: text, partitions: count })),
    description: "Whom it could not exchange them with, and why.",
  },
});

const forcing = object({
  epoch: { ...count, description: "Of the version that was forced." },
  base: { ...count, description: "Of the one that it was made from." },
  digest: { ...text, description: "Of that one." },
  voters: { ...ids, description: "Who made it." },
  lost: { ...ids, description: "Who lost its vote." },
  by: { ...text, description: "Who wanted it." },
  atMs: { ...count, description: "When, in milliseconds since 1970, as the asked node had it." },
});

/** What is said of the members and of changes of them, by name. */
export const topologySchemas: Json = {
  Topology: object({
    node: text,
    clusterId: text,
    epoch: count,
    members: list(
      object({
        ...labels,
        state: { ...memberState, description: "As far as the asked node knows." },
        departure: {
          enum: ["leaving", "removed", null],
          description: "Of a member on its way out; it hands over what it holds, or is gone.",
        },
        vote: {
          enum: ["yes", "no", "forfeited"],
          description: "On the next version; forfeited: given up by an operator.",
        },
        copies: { ...count, description: "Of partitions that it owns." },
        copiesAfter: { ...count, description: "When nothing moves any more." },
        awaits: { ...count, description: "Moving partitions that it has not got all of." },
        leftovers: { ...count, description: "Copies that it owns no more and has not dropped." },
      }),
    ),
    offers: list(object({ ...labels, ageMs: { ...count, description: "Since it was heard." } })),
    moves: { ...count, description: "Partitions that move." },
    leftovers: { ...count, description: "Copies that former owners have not dropped." },
    paused: { type: "boolean", description: "Nothing of that is copied or dropped now." },
    forcings: {
      ...list(forcing),
      description: "Versions that were made without a majority of the voters.",
    },
    own: { oneOf: [ownMoves, { type: "null" }], description: "How far the asked node itself is." },
  }),
  MembersChange: { ...object(change, []), additionalProperties: false },
  Commitment: {
    ...object(
      {
        ...change,
        hash: { ...text, description: "Of the plan; eight digits do where it is remembered." },
      },
      ["hash"],
    ),
    additionalProperties: false,
  },
  Levels: object({
    node: text,
    level: { ...count, description: "That the cluster goes by." },
    possible: nullable("That it could go by; null while a member does not answer."),
    members: list(
      object({
        id: text,
        levelMin: nullable("Oldest that it speaks; null if it did not answer."),
        levelMax: nullable("Newest."),
      }),
    ),
  }),
  Upgraded: object({ level: count, epoch: count }),
  VotersForcing: {
    ...object({
      voters: { ...ids, description: "All voters that are left." },
      confirm: { ...text, description: "The names of the others, in order, a space between." },
      by: { ...text, description: "Who wants it; it is kept in the cluster's document." },
    }),
    additionalProperties: false,
  },
  VotersForced: object({
    epoch: { ...count, description: "Of the version that was forced." },
    lost: { ...ids, description: "Who has no vote any more." },
  }),
  Committed: object({
    epoch: { ...count, description: "Of the cluster's document that has it so." },
    partitions: { ...count, description: "That move, or move no more." },
  }),
  Plan: object({
    hash: text,
    epoch: { ...count, description: "Of the version that the plan leads to." },
    partitions: { ...count, description: "That change their owners." },
    copies: { ...count, description: "That somebody gets who has none." },
    bytes: nullable("About what these come to; null where nothing is known."),
    durationMsMin: nullable("What it takes at least, at the rate that nodes are set to."),
    members: list(
      object({
        id: text,
        before: count,
        after: count,
        gets: count,
        bytes: nullable("About; null where nothing is known."),
      }),
    ),
    transfers: list(object({ from: { type: ["string", "null"] }, to: text, copies: count })),
    risks: {
      ...list(object({ living: count, wanted: count, partitions: count })),
      description: "Partitions of which too few copies live until they have moved.",
    },
    sharingHosts: { ...count, description: "Partitions with two copies on one host, afterwards." },
    sharingZones: { ...count, description: "Partitions with two copies in one zone, afterwards." },
    short: { ...count, description: "Partitions with fewer owners than nMax, for lack of nodes." },
    removed: { ...ids, description: "Members that hand over nothing." },
    waitsFor: {
      ...list(object({ id: text, state: memberState, partitions: count })),
      description: "Who is away, and how many moves cannot end before it is back.",
    },
  }),
};
