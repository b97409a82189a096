import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { hostOf, isLoopback, isWildcard, portOf, withPort } from "../../src/config/addresses.ts";
import { nearestName } from "../../src/config/nearest-name.ts";
import { parseFindQuery } from "../../src/doors/http/find-options.ts";
import { prefersJson } from "../../src/doors/http/accept-header.ts";
import { isAllowedHost } from "../../src/doors/http/host-header.ts";
import { parseBucketBody } from "../../src/doors/http/bucket-body.ts";
import {
  parseExpiryHeader,
  parseKeyOptions,
  parseWriteIdHeader,
} from "../../src/doors/http/key-options.ts";
import { parseKey } from "../../src/doors/http/keys-route.ts";
import { decodeSegment } from "../../src/doors/http/request-facts.ts";
import { parseRepairBody } from "../../src/doors/http/repair-body.ts";
import {
  parseCommitBody,
  parseForcingBody,
  parseTopologyBody,
} from "../../src/doors/http/topology-body.ts";
import { parseScanQuery } from "../../src/doors/http/scan-options.ts";

const encoder = new TextEncoder();

/** Text from the head of an HTTP request: a path segment, a query, or the value of a header. */
export const seeds: readonly Uint8Array[] = [
  "cart%2F1%00",
  "..%2f%C3%A9",
  "r=2&w=2&timeout=500&strict=true&return_body=false",
  "limit=10&cursor=0123456789abcdef&prefix=a%20b&tombstones=true",
  "siblings=2&bucket=default&limit=10&cursor=0123456789abcdef",
  "larger_than=1000&tombstones=true",
  "text/html;q=0.5, application/json;q=0.9, */*;q=0.1",
  "AAECAwQFBgcICQoLDA0ODw",
  '{"name":"made","policy":"lww","n":3,"r":2,"w":2,"pr":0,"pw":0,"allowStale":false}',
  '{"partitions":[0,7,4294967295]}',
  '{"partitions":"all"}',
  '{"join":["n4"],"leave":["n1"],"replace":[{"id":"n2","by":"n5"}]}',
  '{"hash":"0123456789ab","set":[{"id":"n3","weight":2,"zone":"b","host":"h"}]}',
  "localhost:7401",
  "[::1]:7401",
  "2031-02-28T12:00:00.000Z",
  "ttl=1500",
  "ttl=never",
  "r=1&siblings=all",
].map((text) => encoder.encode(text));

export const tokens: readonly string[] = ["%", "%00", "&", "=", "q=", ";", ",", "[", "]", ":", "."];

function judgeOption(option: number | boolean | undefined): void {
  ok(typeof option === "boolean" || Number.isSafeInteger(option));
}

export function run(input: Uint8Array): void {
  const text = Buffer.from(input).toString("latin1");
  segment(text);
  for (const method of ["GET", "HEAD", "PUT", "DELETE", "POST"]) {
    const parsed = parseKeyOptions(method, text);
    if (parsed instanceof Response) ok([400, 501].includes(parsed.status));
    else Object.values(parsed.options).forEach(judgeOption);
  }
  const scan = parseScanQuery(text);
  if (scan instanceof Response) equal(scan.status, 400);
  else ok(scan.limit === "all" || Number.isSafeInteger(scan.limit));
  const find = parseFindQuery(text);
  if (find instanceof Response) equal(find.status, 400);
  else ok(Number.isSafeInteger(find.limit));
  const repair = parseRepairBody(input);
  if (repair instanceof Response) equal(repair.status, 400);
  else ok(repair === "all" || repair.every((each) => Number.isSafeInteger(each)));
  members(input);
  const given = parseBucketBody("made", input);
  if (given instanceof Response) equal(given.status, 400);
  else deepStrictEqual(parseBucketBody("made", encoder.encode(JSON.stringify(given))), given);
  const expiresAtMs = parseExpiryHeader(text, undefined);
  if (expiresAtMs instanceof Response) equal(expiresAtMs.status, 400);
  else ok(expiresAtMs !== undefined && new Date(expiresAtMs).toISOString().endsWith("Z"));
  const writeId = parseWriteIdHeader(text);
  ok(writeId instanceof Response || /^[0-9a-f]{32}$/u.test(writeId ?? ""));
  equal(typeof prefersJson(text), "boolean");
  equal(typeof isAllowedHost(text, ["store.example"]), "boolean");
  address(text);
}

function members(input: Uint8Array): void {
  const order = parseForcingBody(input);
  if (order instanceof Response) equal(order.status, 400);
  else deepStrictEqual(parseForcingBody(encoder.encode(JSON.stringify(order))), order);
  const change = parseTopologyBody(input);
  if (change instanceof Response) equal(change.status, 400);
  else deepStrictEqual(parseTopologyBody(encoder.encode(JSON.stringify(change))), change);
  const commitment = parseCommitBody(input);
  if (commitment instanceof Response) equal(commitment.status, 400);
  else ok(/^[0-9a-f]+$/u.test(commitment.hash));
}

function segment(text: string): void {
  const bytes = decodeSegment(text);
  const key = parseKey("default", text);
  if (bytes === undefined) {
    ok(key instanceof Response);
    return;
  }
  ok(bytes.length <= text.length);
  if (!(key instanceof Response)) deepStrictEqual(key.key, bytes);
  const escaped = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  deepStrictEqual(decodeSegment(escaped), bytes);
}

function address(text: string): void {
  isLoopback(text);
  isWildcard(text);
  equal(typeof hostOf(text), "string");
  equal(portOf(withPort(text, 7401)), 7401);
  equal(typeof (nearestName(text.slice(0, 64), ["http", "peer"]) ?? ""), "string");
}
