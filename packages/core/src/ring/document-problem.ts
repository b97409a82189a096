import { checkBucket } from "./bucket.ts";
import type {
  ClusterDocument,
  ClusterSettings,
  Leftover,
  Member,
  Move,
} from "./cluster-document.ts";
import { isMember } from "./document-shape.ts";

/** Q at most: an index of 16 384 partitions is what one node can hold with little per partition. */
const partitionsMax = 16_384;
/** Owners per partition at most: every write goes to all of them. */
const nMaxMax = 64;
/** Members at most: every one of them holds the whole document. */
const membersMax = 1024;
const bucketsMax = 1024;
/** The sum of all weights stays exact, whatever is computed with it. */
const weightMax = 1_000_000;

/** Why no document can have these settings and members. */
export function documentProblem(
  settings: ClusterSettings,
  members: readonly Member[],
): string | undefined {
  const { partitions, nMax, buckets } = settings;
  if (!isWithin(partitions, partitionsMax)) {
    return `partitions is an integer from 1 to ${partitionsMax}, not ${partitions}`;
  }
  if (!isWithin(nMax, nMaxMax)) return `nMax is an integer from 1 to ${nMaxMax}, not ${nMax}`;
  if (members.length === 0) return "a cluster has at least one node";
  if (members.length > membersMax) return `a cluster has at most ${membersMax} nodes`;
  const id = repeated(members.map((member) => member.id));
  if (id !== undefined) return `two nodes have the id ${id}`;
  const address = repeated(members.map((member) => member.address));
  if (address !== undefined) return `two nodes have the address ${address}`;
  const malformed = members.find((member) => !isMember(member));
  if (malformed !== undefined) return `what ${malformed.id} says of itself is malformed`;
  if (!members.every(({ weight }) => isWithin(weight, weightMax))) {
    return `a weight is an integer from 1 to ${weightMax}`;
  }
  if (buckets.length > bucketsMax) return `there are at most ${bucketsMax} buckets`;
  const name = repeated(buckets.map((bucket) => bucket.name));
  if (name !== undefined) return `two buckets have the name ${name}`;
  for (const bucket of buckets) {
    const checked = checkBucket(bucket, nMax);
    if (!checked.ok) return checked.message;
    if (bucket.n > members.length) {
      return (
        `bucket ${bucket.name} wants ${bucket.n} copies on distinct nodes, and there ` +
        `${members.length === 1 ? "is 1 node" : `are ${members.length} nodes`}: that many nodes ` +
        "must stay or join, since a bucket's n is fixed when it is created"
      );
    }
  }
  return undefined;
}

/** Why a document of the right shape cannot have been made by agreement. */
export function ownersProblem(document: ClusterDocument): string | undefined {
  const { settings, members, owners } = document;
  if (members.some(({ id }, at) => at > 0 && id < (members[at - 1] as Member).id)) {
    return "its members are not sorted";
  }
  if (members.every(({ departure }) => departure !== undefined)) return "all its members depart";
  if (owners.length !== settings.partitions) return "it has not one list of owners per partition";
  if (!owners.every((list) => isOwnerList(document, list))) {
    return "a partition's owners are not distinct members";
  }
  return scarcityProblem(settings, owners, "has");
}

/** Why there are buckets that some of these lists of owners are too short for. */
function scarcityProblem(
  { buckets }: ClusterSettings,
  lists: readonly (readonly number[])[],
  verb: "has" | "will have",
): string | undefined {
  const fewest = lists.reduce((least, { length }) => Math.min(least, length), nMaxMax);
  const bucket = buckets.find(({ n }) => n > fewest);
  if (bucket === undefined) return undefined;
  return `bucket ${bucket.name} wants ${bucket.n} copies, and a partition ${verb} ${fewest} owners`;
}

/** Why its moves and leftovers cannot have been made by agreement. */
export function movesProblem(document: ClusterDocument): string | undefined {
  const { epoch, owners, moves = [], entered, leftovers = [] } = document;
  const isEntered = entered === undefined || (entered >= 1 && entered <= epoch);
  if (!isEntered || (entered !== undefined && moves.length === 0)) {
    return "its moves were entered by no version of it";
  }
  if (!isAscending(moves.map(({ partition }) => [partition]))) return "its moves are not in order";
  const isMove = ({ partition, to, awaited }: Move): boolean =>
    owners[partition] !== undefined &&
    isOwnerList(document, to) &&
    awaited.length > 0 &&
    isAscending(awaited.map((member) => [member])) &&
    awaited.every((member) => to.includes(member));
  if (!moves.every(isMove)) return "a move of a partition is malformed";
  if (!isAscending(leftovers.map(({ partition, member }) => [partition, member]))) {
    return "its leftovers are not in order";
  }
  const scarcity = scarcityProblem(
    document.settings,
    moves.map(({ to }) => to),
    "will have",
  );
  if (scarcity !== undefined) return scarcity;
  const targets = new Map(moves.map(({ partition, to }) => [partition, to]));
  const isLeftover = ({ partition, member, place }: Leftover): boolean =>
    owners[partition]?.includes(member) === false &&
    targets.get(partition)?.includes(member) !== true &&
    document.members[member] !== undefined &&
    place >= 0 &&
    place < document.settings.nMax;
  return leftovers.every(isLeftover) ? undefined : "a leftover copy is malformed";
}

/** Why what is said of forced versions cannot be true. */
export function forcingsProblem({
  epoch,
  members,
  forcings = [],
}: ClusterDocument): string | undefined {
  const areSound = forcings.every((forcing, at) => {
    const earliest = forcings[at - 1]?.epoch ?? 1;
    return forcing.base >= earliest && forcing.epoch > forcing.base && forcing.epoch <= epoch;
  });
  if (!areSound) return "its forced versions are not in order";
  const vote = members.find(({ vote }) => vote !== undefined);
  if (vote === undefined || forcings.length > 0) return undefined;
  return `${vote.id} has lost its vote by no version of it`;
}

function isOwnerList({ settings, members }: ClusterDocument, list: readonly number[]): boolean {
  return (
    list.length > 0 &&
    list.length <= Math.min(settings.nMax, members.length) &&
    new Set(list).size === list.length &&
    list.every((owner) => owner >= 0 && owner < members.length)
  );
}

/** True if each is greater than the one before, first numbers first. */
function isAscending(lists: readonly (readonly number[])[]): boolean {
  return lists.every((list, at) => {
    const before = lists[at - 1] ?? [-1];
    const differing = list.findIndex((value, index) => value !== before[index]);
    return differing >= 0 && (list[differing] as number) > (before[differing] ?? -1);
  });
}

function repeated(names: readonly string[]): string | undefined {
  return names.find((name, at) => names.indexOf(name) < at);
}

function isWithin(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}
