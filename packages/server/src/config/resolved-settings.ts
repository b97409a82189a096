import type { SettingOrigin } from "./load-config.ts";
import { type ServerConfig, settings } from "./server-config.ts";

/** One setting as a node goes by it, and where its value comes from. */
export interface ResolvedSetting {
  readonly name: string;
  /** A secret is masked. */
  readonly value: unknown;
  readonly origin: SettingOrigin;
  /** The variable or the flag that gave it; empty for a file and a default. */
  readonly source: string;
}

/** Every setting in the order of the documentation. */
export function resolvedSettings(
  config: ServerConfig,
  origins: ReadonlyMap<string, SettingOrigin>,
): readonly ResolvedSetting[] {
  const values = config as unknown as Readonly<Record<string, unknown>>;
  return settings.map(({ name }) => {
    const origin = origins.get(name) ?? "default";
    return { name, value: masked(name, values[name]), origin, source: sourceOf(name, origin) };
  });
}

/** The environment variable of a setting. */
export function variableOf(name: string): string {
  return `COTERIE_${name.replaceAll(/[A-Z]/gu, (letter) => `_${letter}`).toUpperCase()}`;
}

/** The flag of a setting. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
}

function sourceOf(name: string, origin: SettingOrigin): string {
  if (origin === "environment") return variableOf(name);
  return origin === "flag" ? flagOf(name) : "";
}

/** `clusterKey` names a file; whoever gives the key in its place should not see it printed. */
function masked(name: string, value: unknown): unknown {
  const isKey = name === "clusterKey" && typeof value === "string" && isKeyText(value);
  return isKey ? "********" : value;
}

/** True for 32 bytes in hex: a cluster key itself, where the name of its file should stand. */
export function isKeyText(text: string): boolean {
  return /^[0-9a-fA-F]{64}$/u.test(text.trim());
}
