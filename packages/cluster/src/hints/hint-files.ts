import { type NodeId, parseNodeId } from "@coterie/core";
import type { Disk, DiskOutcome, File, Settle } from "@coterie/ports";
import { PrefixedDisk } from "@coterie/storage";
import { oneShot } from "../one-shot.ts";

// A generation of hints is a store in files `hint-<number>.<name>` of the node's directory, next to
// an empty file `hint-<number>.for-<target>`: its mark. Whose hints they are is said by a name,
// since names do not rot. What has no mark was not finished, or is no longer needed.

const FILE = /^hint-(\d{8,15})\.(.+)$/u;
const MARK = /^for-(.+)$/u;

/** A generation as the directory shows it. */
export interface FoundGeneration {
  readonly number: number;
  /** `undefined`: it has no mark, and is to be removed. */
  readonly target: NodeId | undefined;
}

/** The part of the node's directory that holds a generation. */
export function generationDisk(disk: Disk, number: number): Disk {
  return new PrefixedDisk(disk, `hint-${number.toString().padStart(8, "0")}.`);
}

/** All generations, oldest first. */
export async function findGenerations(
  disk: Disk,
): Promise<DiskOutcome<readonly FoundGeneration[]>> {
  const listed = await once<readonly string[]>((settle) => disk.list(settle));
  if (!listed.ok) return listed;
  const targets = new Map<number, NodeId | undefined>();
  for (const file of listed.value) {
    const [, digits, name] = FILE.exec(file) ?? [];
    if (digits === undefined || name === undefined) continue;
    const number = Number(digits);
    const target = parseNodeId(MARK.exec(name)?.[1] ?? "");
    targets.set(number, target ?? targets.get(number));
  }
  const found = [...targets].map(([number, target]) => ({ number, target }));
  return { ok: true, value: found.toSorted((left, right) => left.number - right.number) };
}

/** Makes a generation one that is found again after a crash: before its first hint counts. */
export async function markGeneration(view: Disk, target: NodeId): Promise<DiskOutcome> {
  const made = await once<File>((settle) => view.open(markOf(target), "create", settle));
  if (!made.ok) return made;
  await once<void>((settle) => view.close(made.value, settle));
  return once<void>((settle) => view.syncDirectory(settle));
}

/** Gives a generation up, whole: once its mark is durably gone nobody opens what is left of it. */
export async function unmarkGeneration(view: Disk, target: NodeId): Promise<DiskOutcome> {
  const removed = await once<void>((settle) => view.remove(markOf(target), settle));
  if (!removed.ok && removed.error !== "missing") return removed;
  return once<void>((settle) => view.syncDirectory(settle));
}

/** Removes every file of a generation that has no mark. */
export async function removeGeneration(view: Disk): Promise<DiskOutcome> {
  const listed = await once<readonly string[]>((settle) => view.list(settle));
  if (!listed.ok) return listed;
  for (const name of listed.value) {
    const removed = await once<void>((settle) => view.remove(name, settle));
    if (!removed.ok && removed.error !== "missing") return removed;
  }
  return { ok: true, value: undefined };
}

function markOf(target: NodeId): string {
  return `for-${target}`;
}

function once<Value>(start: (settle: Settle<Value>) => void): Promise<DiskOutcome<Value>> {
  const { promise, settle } = oneShot<DiskOutcome<Value>>();
  start(settle);
  return promise;
}
