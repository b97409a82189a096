import { expect, it } from "vitest";
import {
  type SwarmKnobs,
  crowded,
  drawKnobs,
  shrink,
  simulate,
  timeline,
  turnedKnobs,
} from "../src/index.ts";
import { drain, fastTurns } from "./drain.ts";

const turns = fastTurns();
const drawn = drawKnobs(3);

it("leaves nothing but what the failure needs", async () => {
  const [kind] = Object.keys(drawn.faults) as [keyof typeof drawn.faults];
  const needs = ({ kept, faults }: SwarmKnobs): boolean =>
    faults[kind] !== undefined && [17, 230].every((number) => kept?.includes(number) ?? true);
  const { knobs } = await shrink(drawn, (smaller) => Promise.resolve(needs(smaller)), 2000);
  expect(knobs.kept).toEqual([17, 230]);
  expect(knobs.faults).toEqual({ [kind]: 1 });
  expect(knobs.weather).toMatchObject({ lost: 0, duplicated: 0, late: 0 });
  expect(knobs.clients).toBe(1);
});

it("leaves of a crowd no more clients, keys and operations than the failure needs", async () => {
  const crowd = crowded({ ...drawn, clients: 3, operations: 300, keys: 12, hotKeys: 2 }, 16);
  const needs = ({ operations }: SwarmKnobs): boolean => operations >= 600;
  const { knobs } = await shrink(crowd, (smaller) => Promise.resolve(needs(smaller)), 2000);
  expect(knobs).toMatchObject({ operations: 600, keys: 24, hotKeys: 4 });
  const all = await shrink(crowd, () => Promise.resolve(true), 2000);
  expect(all.knobs).toMatchObject({ operations: 300, keys: 12, hotKeys: 2 });
});

it("takes no more runs than it is given", async () => {
  let runs = 0;
  const fails = (): Promise<boolean> => {
    runs += 1;
    return Promise.resolve(true);
  };
  expect((await shrink(drawn, fails, 10)).runs).toBe(10);
  expect(runs).toBe(10);
});

it("names the knobs that a replay must turn", () => {
  expect(turnedKnobs(3, drawn)).toEqual({});
  expect(turnedKnobs(3, { ...drawn, clients: 1 })).toEqual({ clients: 1 });
});

it("carries out the operations that are kept", async () => {
  const knobs = { kept: [5, 6, 200] };
  const report = await simulate({ seed: 3, drain, turns, knobs, traceLinesMax: 100_000 });
  expect(report.operations).toBe(3);
  const told = report.traceTail.filter((line) => line.includes(" client "));
  const named = told.map((line) => /client \d+, operation (?<number>\d+): /u.exec(line)?.[1]);
  expect(new Set(named)).toEqual(new Set(["5", "6", "200"]));
});

it("tells the trace as a timeline", () => {
  const trace = ["1.500 client: asks n1", "2.000 n1 write log 0+3 ok", "1234.250 n1 is paused"];
  expect(timeline(trace, false)).toEqual([
    "    0.001500 s  client: asks n1",
    "              … 1 of disks and messages",
    "    1.234250 s  n1 is paused",
  ]);
  expect(timeline(trace, true)).toHaveLength(3);
});
