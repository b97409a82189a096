import { utf8 } from "@coterie/core";
import type { DiskImage, DiskOperation } from "../../disk.ts";
import { type Arguments, ScenarioError } from "../arguments.ts";
import type { Lines, Stage } from "../stage.ts";

const silent: Lines = [];

/** `save n1 IMAGE`: remembers what the disk holds. */
export function save(stage: Stage, args: Arguments): Lines {
  const id = stage.node(args.word("a node"));
  const name = args.word("a name for the image");
  args.end();
  stage.images.set(name, stage.cluster.disk(id).image());
  return silent;
}

/** `restore n1 IMAGE`: while the node is down, gives it a disk as it was. */
export function restore(stage: Stage, args: Arguments): Lines {
  const id = stage.node(args.word("a node"));
  const name = args.word("the name of an image");
  args.end();
  const image = stage.images.get(name);
  if (image === undefined) throw new ScenarioError(`there is no image ${name}`);
  stage.cluster.replaceDisk(id, image);
  return silent;
}

/** `wipe n1`: while the node is down, gives it an empty disk. */
export function wipe(stage: Stage, args: Arguments): Lines {
  const id = stage.node(args.word("a node"));
  args.end();
  stage.cluster.replaceDisk(id, new Map());
  return silent;
}

/** `rot n1 VALUE`: flips a bit of the value wherever the node's log holds it. */
export function rot(stage: Stage, args: Arguments): Lines {
  const id = stage.node(args.word("a node"));
  const value = args.word("a value");
  args.end();
  const disk = stage.cluster.disk(id);
  const places = placesOf(disk.image(), utf8(value));
  for (const { name, offset } of places) disk.flipBit(name, offset);
  const files = new Set(places.map(({ name }) => name));
  return [`rotten in ${[...files].join(", ")}`];
}

/** `slow n1 FACTOR`: every operation of the disk takes so many times as long. */
export function slow(stage: Stage, args: Arguments): Lines {
  const id = stage.node(args.word("a node"));
  const factor = Number(args.word("a factor"));
  args.end();
  if (!(factor >= 1)) throw new ScenarioError("a factor is a number of at least 1");
  stage.cluster.disk(id).slowdown = factor;
  return silent;
}

/** `fault n1 sync|write|read [times=N] [error=io|full]`: the next operations of the disk fail. */
export function fault(stage: Stage, args: Arguments): Lines {
  const id = stage.node(args.word("a node"));
  const operation = args.word("an operation");
  const times = args.number("times") ?? 1;
  const error = args.option("error") ?? "io";
  args.end();
  if (!isFaulty(operation)) throw new ScenarioError(`${operation} cannot fail`);
  if (error !== "io" && error !== "full") throw new ScenarioError("an error is io or full");
  stage.cluster.disk(id).inject({ operation, error, times });
  return silent;
}

function isFaulty(operation: string): operation is DiskOperation {
  return operation === "sync" || operation === "write" || operation === "read";
}

interface Place {
  readonly name: string;
  readonly offset: number;
}

function placesOf(image: DiskImage, bytes: Uint8Array): readonly Place[] {
  const places: Place[] = [];
  for (const [name, content] of image) {
    for (let at = 0; at + bytes.length <= content.length; at += 1) {
      if (bytes.every((byte, index) => content[at + index] === byte)) {
        places.push({ name, offset: at });
      }
    }
  }
  return places;
}
