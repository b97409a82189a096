import { deepStrictEqual, ok } from "node:assert/strict";
import { parseControlAddress } from "../../src/dev/control-address.ts";
import { parseEndpoints } from "../../src/dev/endpoints-text.ts";
import { Acknowledged } from "../../src/transfer/acknowledged.ts";
import { newProgress, parseProgress } from "../../src/transfer/progress-file.ts";

const encoder = new TextEncoder();
const node = {
  id: "n1",
  http: "127.0.0.1:7401",
  resp: "127.0.0.1:7501",
  grpc: "127.0.0.1:7601",
  peer: "127.0.0.1:7701",
};
const acknowledged = { number: 3, offset: 40, ranges: [[5, 9]] };

/** The files that the command writes for itself, and finds again: torn, edited, or of old. */
export const seeds: readonly Uint8Array[] = [
  newProgress("import of a file"),
  { ...newProgress("x"), acknowledged },
  { isMemory: false, partitions: 64, hash: "md5", n: 3, r: 2, w: 2, nodes: [node] },
  { pid: 4711, port: 40_000, token: "secret" },
].map((file) => encoder.encode(JSON.stringify(file)));

export const tokens: readonly string[] = [
  "[",
  "]",
  "{",
  "}",
  "null",
  "-1",
  "1e99",
  "0.5",
  ",",
  '""',
];

export function run(input: Uint8Array): void {
  const text = Buffer.from(input).toString("utf8");
  const progress = parseProgress(text);
  if (progress !== undefined) {
    deepStrictEqual(parseProgress(JSON.stringify(progress)), progress);
    const resumed = new Acknowledged(progress.acknowledged);
    ok(resumed.state().number === progress.acknowledged.number);
    resumed.wasDone(1);
  }
  const endpoints = parseEndpoints(text);
  if (endpoints !== undefined) {
    ok(endpoints.nodes.every(({ id, http }) => /^n\d+$/u.test(id) && http.includes(":")));
  }
  const control = parseControlAddress(text);
  if (control !== undefined) ok(control.port < 65_536 && control.pid > 0);
}
