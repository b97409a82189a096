import type { Arguments } from "./arguments.ts";
import type { Lines, Stage } from "./stage.ts";
import { check } from "./verbs/check.ts";
import { copies, deleteKey, get, own, put, scan } from "./verbs/client.ts";
import { fault, restore, rot, save, slow, wipe } from "./verbs/disk.ts";
import { compare, fill, owed } from "./verbs/handoff.ts";
import { cut, cutWay, heal, hold, isolate, overtake, release, weather } from "./verbs/network.ts";
import { repair } from "./verbs/repair.ts";
import { seed } from "./verbs/seed.ts";
import {
  forceVoters,
  join,
  leave,
  moving,
  pauseMoves,
  remove,
  replace,
  resumeMoves,
  settle,
} from "./verbs/topology.ts";
import { advance, crash, jump, nodes, start, status, stop } from "./verbs/process.ts";

/** Does something to the stage, driving virtual time itself if it takes any. */
export type Act = (stage: Stage, args: Arguments) => Lines | Promise<Lines>;

/** Waits for the cluster; the script drives virtual time, and may go on meanwhile. */
export type Story = (stage: Stage, args: Arguments) => Promise<Lines>;

export const acts: ReadonlyMap<string, Act> = new Map<string, Act>([
  ["nodes", nodes],
  ["crash", crash],
  ["stop", stop],
  ["start", start],
  ["status", status],
  ["advance", advance],
  ["jump", jump],
  ["cut", cut],
  ["cut-way", cutWay],
  ["isolate", isolate],
  ["hold", hold],
  ["overtake", overtake],
  ["release", release],
  ["heal", heal],
  ["weather", weather],
  ["save", save],
  ["restore", restore],
  ["wipe", wipe],
  ["rot", rot],
  ["fault", fault],
  ["slow", slow],
  ["check", check],
  ["seed", seed],
  ["owed", owed],
  ["join", join],
  ["leave", leave],
  ["remove", remove],
  ["replace", replace],
  ["pause", pauseMoves],
  ["resume", resumeMoves],
  ["force-voters", forceVoters],
  ["moving", moving],
  ["settle", settle],
]);

export const stories: ReadonlyMap<string, Story> = new Map<string, Story>([
  ["put", put],
  ["get", get],
  ["delete", deleteKey],
  ["scan", scan],
  ["own", own],
  ["copies", copies],
  ["fill", fill],
  ["compare", compare],
  ["repair", repair],
]);
