import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { coterie } from "./run-coterie.ts";

const directory = mkdtempSync(join(tmpdir(), "coterie-cli-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe("config", () => {
  it("check exits 2 and says where, what and what was meant", async () => {
    const path = file("bad.json", '{\n  "id": "n1",\n  "zoen": "a"\n}');
    const checked = await coterie(["config", "check", path]);
    expect(checked.exit).toBe(2);
    expect(checked.stdout).toBe(`${path}:3: unknown setting "zoen"; did you mean zone?\n`);
    const json = JSON.parse((await coterie(["config", "check", path, "--json"])).stdout);
    expect(json).toMatchObject({ ok: false, problems: [{ setting: "zoen", line: 3 }] });
  });

  it("check exits 0 for the template, and notes that it names no node", async () => {
    const { stdout } = await coterie(["config", "template"]);
    const checked = await coterie(["config", "check", file("template.json", stdout)]);
    expect(checked).toMatchObject({ exit: 0, stdout: expect.stringContaining("no problems") });
    expect(checked.stderr).toContain("--id");
  });

  it("show and start --print-config say where each value comes from", async () => {
    const path = file("good.json", '{ "zone": "a", "weight": 2 }');
    const env = { COTERIE_ID: "n7", COTERIE_WEIGHT: "3" };
    const shown = await coterie(["config", "show", path], { env });
    expect(shown.exit).toBe(0);
    expect(shown.stdout).toMatch(/^id +n7 +COTERIE_ID$/mu);
    expect(shown.stdout).toMatch(/^weight +3 +COTERIE_WEIGHT$/mu);
    expect(shown.stdout).toMatch(/^logLevel +info +default$/mu);
    expect(shown.stdout).toContain(path);
    const words = ["start", "--config", path, "--log-level", "warn", "--print-config", "--json"];
    const printed = await coterie(words, { env });
    expect(printed.exit).toBe(0);
    expect(JSON.parse(printed.stdout)).toMatchObject({
      zone: { value: "a", origin: "file" },
      logLevel: { value: "warn", origin: "flag", source: "--log-level" },
      clusterKey: { value: null, origin: "default" },
    });
  });

  it("a start that cannot be says what to look at", async () => {
    const started = await coterie(["start", "--id", "n1", "--http", "0.0.0.0:7401"]);
    expect(started.exit).toBe(2);
    expect(started.stderr).toContain("--insecure");
    expect(started.stderr).toContain("config check");
  });
});
