import { readFileSync } from "node:fs";
import { isKeyText } from "./resolved-settings.ts";

export type ClusterKeyOutcome =
  | { readonly ok: true; readonly key: Uint8Array | undefined }
  | { readonly ok: false; readonly message: string };

/** Reads the key that binds contexts to their keys; without a file, the node derives one. */
export function readClusterKey(file: string | undefined): ClusterKeyOutcome {
  if (file === undefined) return { ok: true, key: undefined };
  if (isKeyText(file)) {
    // Arguments and variables are seen by others of the machine; the message does not repeat it.
    const message = "clusterKey is the name of the file that holds the key, not the key itself";
    return { ok: false, message };
  }
  try {
    const bytes = readFileSync(file);
    if (bytes.length === 32) return { ok: true, key: new Uint8Array(bytes) };
    const text = bytes.toString("latin1").trim();
    if (isKeyText(text)) return { ok: true, key: new Uint8Array(Buffer.from(text, "hex")) };
    const message =
      `the cluster key ${file} is neither 32 bytes nor 64 hex digits; ` +
      "make one with: openssl rand -hex 32, and give the same file to all nodes";
    return { ok: false, message };
  } catch (error) {
    return { ok: false, message: `the cluster key cannot be read: ${(error as Error).message}` };
  }
}
