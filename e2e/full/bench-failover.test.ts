import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const coterie = fileURLToPath(import.meta.resolve("coterie/bin/coterie.js"));

it.each(["resp", "client"])(
  "kills and stops a node under load by way of %s, and tells how the others served",
  (door) => {
    const data = mkdtempSync(join(tmpdir(), "coterie-failover-"));
    try {
      const words = `failover --door ${door} --victims n2 --away 3 --around 1 --rate 200`;
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [coterie, "bench", ...words.split(" "), "--data", data],
        { encoding: "utf8" },
      );
      // 1: what is aimed at may be missed on a machine that does other things, too.
      expect([[0, 1], stderr]).toEqual([
        expect.arrayContaining([status]),
        expect.stringContaining("stop n2 back"),
      ]);
      const rows = stdout.split("\n").filter((line) => / n2 /u.test(line));
      expect(rows.map((row) => row.split(/\s+/u).slice(0, 3).join(" "))).toEqual([
        "none n2 before",
        "kill n2 away",
        "kill n2 back",
        "none n2 before",
        "stop n2 away",
        "stop n2 back",
      ]);
      for (const row of rows) expect(Number(row.split(/\s+/u)[4])).toBeGreaterThan(100);
      expect(readdirSync(data)).toEqual([]);
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  },
  120_000,
);
