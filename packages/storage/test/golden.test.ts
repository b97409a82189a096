import { readFileSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import type { DamagedToken } from "../src/index.ts";
import { StoreWorld, versionOf } from "./store-world.ts";

/** A directory that some version wrote: never written again, and readable for ever. */
interface Golden {
  readonly actor: string;
  readonly minted: number;
  readonly damaged: readonly DamagedToken[];
  readonly versions: Readonly<Record<string, number>>;
  readonly files: readonly { readonly name: string; readonly size: number; readonly hex: string }[];
}

const folder = new URL("golden/", import.meta.url);
const versions = readdirSync(folder);

function load(directory: StoreWorld, golden: Golden, isWanted: (name: string) => boolean): void {
  directory.crashAndEdit((files) => {
    for (const { name, size, hex } of golden.files) {
      if (!isWanted(name)) continue;
      const bytes = new Uint8Array(size);
      bytes.set(Buffer.from(hex, "hex"));
      files.set(name, bytes);
    }
  }, "kill");
}

it("there is a golden directory", () => {
  expect(versions).toContain("v1.json");
});

it.each(versions)("a directory of %s opens with all that was in it", async (version) => {
  const golden = JSON.parse(readFileSync(new URL(version, folder), "utf8")) as Golden;
  const directory = new StoreWorld(1);
  load(directory, golden, () => true);
  expect(await directory.open()).toMatchObject({ wasCleanStop: true, usedCheckpoint: true });
  expect(directory.store.damage()).toEqual({
    tokens: golden.damaged,
    partitions: [],
    isWhole: true,
  });
  expect(directory.store.mint()).toEqual({ actor: golden.actor, counter: golden.minted + 1 });
  for (const [name, held] of Object.entries(golden.versions)) {
    expect({ name, held: versionOf(await directory.read(name)) }).toEqual({ name, held });
  }
});

it.each(versions)("a directory of %s opens without its checkpoint", async (version) => {
  const golden = JSON.parse(readFileSync(new URL(version, folder), "utf8")) as Golden;
  const directory = new StoreWorld(1);
  load(directory, golden, (name) => !name.startsWith("checkpoint-"));
  expect(await directory.open()).toMatchObject({ wasCleanStop: true, usedCheckpoint: false });
  directory.store.markWhole();
  for (const [name, held] of Object.entries(golden.versions)) {
    expect({ name, held: versionOf(await directory.read(name)) }).toEqual({ name, held });
  }
});
