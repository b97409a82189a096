import { fromBase64, keyProblem, textOf } from "../http/keys.ts";
import {
  BYTES_TYPE,
  isContentType,
  isExpiry,
  JSON_TYPE,
  TEXT_TYPE,
  type Entry,
  type EntryValue,
  type ParsedEntry,
} from "./entry.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads one NDJSON line: `{ "key", "value", "contentType" }`, with `key64` or `value64` for bytes,
 * `siblings` for several values, `expiresAt` for one that expires, `deleted` for a tombstone; or,
 * with a key field, any object, kept whole as the value.
 */
export function parseNdjsonLine(line: Buffer, keyField: string | undefined): ParsedEntry {
  const text = textOf(line);
  if (text === undefined) return bad("the line is not UTF-8");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return bad(`the line is not JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return bad("the line is not a JSON object");
  }
  const fields: Fields = { ...parsed };
  return keyField === undefined ? fromEntryFields(fields) : fromWholeLine(fields, keyField, line);
}

/** Writes the line that `parseNdjsonLine` reads back, the same bytes for the same entry. */
export function formatNdjsonLine({ key, values }: Entry): string {
  const keyText = textOf(key);
  const named = keyText === undefined ? { key64: key.toString("base64url") } : { key: keyText };
  if (values.length === 0) return `${JSON.stringify({ ...named, deleted: true })}\n`;
  const formatted = values
    .toSorted(
      (left, right) =>
        Buffer.compare(left.value, right.value) ||
        (left.contentType < right.contentType ? -1 : Number(left.contentType > right.contentType)),
    )
    .map(formatValue);
  return `${JSON.stringify(
    formatted.length === 1 ? { ...named, ...formatted[0] } : { ...named, siblings: formatted },
  )}\n`;
}

function formatValue({
  value,
  contentType,
  expiresAt,
}: EntryValue): Readonly<Record<string, string>> {
  const text = textOf(value);
  const bytes = text === undefined ? { value64: value.toString("base64") } : { value: text };
  return { ...bytes, contentType, ...(expiresAt !== undefined && { expiresAt }) };
}

function fromEntryFields(fields: Fields): ParsedEntry {
  const key = bytesField(fields, "key", "key64");
  if (typeof key === "string") return bad(key);
  const problem = keyProblem(key.bytes);
  if (problem !== undefined) return bad(problem);
  if (fields["deleted"] === true) return { ok: true, entry: { key: key.bytes, values: [] } };
  const listed = fields["siblings"] ?? [fields];
  if (!Array.isArray(listed)) return bad('"siblings" is not a list');
  const values: EntryValue[] = [];
  for (const item of listed as readonly unknown[]) {
    const value = valueOf(item);
    if (typeof value === "string") return bad(value);
    values.push(value);
  }
  return { ok: true, entry: { key: key.bytes, values } };
}

function fromWholeLine(fields: Fields, keyField: string, line: Buffer): ParsedEntry {
  const field = fields[keyField];
  if (typeof field !== "string" && typeof field !== "number") {
    return bad(`the line has no "${keyField}" that is a text or a number`);
  }
  const key = Buffer.from(String(field), "utf8");
  const problem = keyProblem(key);
  if (problem !== undefined) return bad(problem);
  return { ok: true, entry: { key, values: [{ value: line, contentType: JSON_TYPE }] } };
}

function valueOf(item: unknown): EntryValue | string {
  if (typeof item !== "object" || item === null) return "a sibling is not an object";
  const fields: Fields = { ...item };
  const value = bytesField(fields, "value", "value64");
  if (typeof value === "string") return value;
  const contentType = fields["contentType"] ?? (value.isText ? TEXT_TYPE : BYTES_TYPE);
  if (typeof contentType !== "string") return '"contentType" is not a text';
  if (!isContentType(contentType)) return '"contentType" is not 1 to 255 ASCII characters';
  const expiresAt = fields["expiresAt"] ?? undefined;
  if (expiresAt === undefined) return { value: value.bytes, contentType };
  if (typeof expiresAt !== "string" || !isExpiry(expiresAt)) {
    return '"expiresAt" is neither a time such as 2031-02-28T12:00:00.000Z nor "never"';
  }
  return { value: value.bytes, contentType, expiresAt };
}

/** Bytes given as text or as base64, or what is wrong with them. */
function bytesField(
  fields: Fields,
  textName: string,
  base64Name: string,
): { readonly bytes: Buffer; readonly isText: boolean } | string {
  const text = fields[textName];
  const encoded = fields[base64Name];
  if (text !== undefined && encoded !== undefined) {
    return `both "${textName}" and "${base64Name}" are given`;
  }
  if (typeof text === "string") return { bytes: Buffer.from(text, "utf8"), isText: true };
  if (text !== undefined) return `"${textName}" is not a text`;
  if (typeof encoded !== "string") return `neither "${textName}" nor "${base64Name}" is given`;
  const bytes = fromBase64(encoded);
  return bytes === undefined ? `"${base64Name}" is not base64` : { bytes, isText: false };
}

function bad(reason: string): ParsedEntry {
  return { ok: false, reason };
}
