import type { ConfigProblem, ResolvedSetting } from "@coterie/server";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { table } from "../table.ts";
import { processTerminal } from "../terminal.ts";

/** Options of `coterie config show` and `coterie config check`. */
export interface ConfigOptions {
  readonly json?: boolean;
}

/** `coterie config show [FILE]`: the configuration that a start with that file would have. */
export function showConfig(file: string | undefined, { json }: ConfigOptions): Promise<ExitCode> {
  return printConfig({ file, flags: {}, json: json === true });
}

/** Prints every setting with its value and where that comes from. */
export async function printConfig(given: {
  readonly file: string | undefined;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly json: boolean;
}): Promise<ExitCode> {
  const { loadConfig, resolvedSettings } = await import("@coterie/server");
  const { file, flags, json } = given;
  const loaded = loadConfig({ file, env: process.env, flags });
  if (!loaded.ok) {
    const next = file === undefined ? undefined : `coterie config check ${file}`;
    throw new CliFailure(exitCodes.usage, loaded.message, next);
  }
  const settings = resolvedSettings(loaded.config, loaded.origins);
  const terminal = processTerminal();
  if (json) {
    const byName = settings.map(({ name, value, origin, source }) => {
      return [name, { value: value ?? null, origin, ...(source !== "" && { source }) }] as const;
    });
    await terminal.data(`${JSON.stringify(Object.fromEntries(byName))}\n`);
    return exitCodes.ok;
  }
  const rows = settings.map((setting) => {
    return [setting.name, valueText(setting.value), originText(setting, file)];
  });
  await terminal.data(table(["SETTING", "VALUE", "FROM"], rows));
  return exitCodes.ok;
}

/** `coterie config check [FILE]`: what a start would complain of. */
export async function checkConfigFile(
  file: string | undefined,
  { json }: ConfigOptions,
): Promise<ExitCode> {
  const { checkConfig } = await import("@coterie/server");
  const { problems, notes } = await checkConfig({ file, env: process.env, flags: {} });
  const terminal = processTerminal();
  const isGood = problems.length === 0;
  if (json === true) {
    const shown = problems.map(({ setting, line, message }) => {
      return { setting, line: line ?? null, message };
    });
    await terminal.data(`${JSON.stringify({ ok: isGood, problems: shown, notes })}\n`);
  } else {
    for (const problem of problems) await terminal.data(`${problemText(problem, file)}\n`);
    if (isGood) await terminal.data(`${file ?? "the environment"}: no problems\n`);
    for (const note of notes) terminal.say(`note: ${note}`);
  }
  return isGood ? exitCodes.ok : exitCodes.usage;
}

/** `coterie config template`: a configuration file to begin with. */
export async function printTemplate(): Promise<ExitCode> {
  const { configTemplate } = await import("@coterie/server");
  await processTerminal().data(configTemplate());
  return exitCodes.ok;
}

/** As compilers have it: FILE:LINE: what is wrong. */
function problemText({ line, message }: ConfigProblem, file: string | undefined): string {
  return line === undefined || file === undefined ? message : `${file}:${line}: ${message}`;
}

function valueText(value: unknown): string {
  if (value === undefined) return "-";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function originText({ origin, source }: ResolvedSetting, file: string | undefined): string {
  if (origin === "file") return file ?? "file";
  return source === "" ? origin : source;
}
