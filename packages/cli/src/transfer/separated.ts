import { fromBase64, keyProblem, textOf } from "../http/keys.ts";
import {
  BYTES_TYPE,
  isContentType,
  JSON_TYPE,
  TEXT_TYPE,
  type EntryParser,
  type ParsedEntry,
} from "./entry.ts";

export type SeparatedFormat = "csv" | "tsv";

/** The fields of one CSV record (RFC 4180), or `undefined` when its quotes are not closed. */
export function csvFields(record: string): readonly string[] | undefined {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    let field = "";
    if (record[at] === '"') {
      for (at += 1; ; at += 1) {
        const close = record.indexOf('"', at);
        if (close === -1) return undefined;
        field += record.slice(at, close);
        at = close + 1;
        if (record[at] !== '"') break;
        field += '"';
      }
      if (at < record.length && record[at] !== ",") return undefined;
    } else {
      const comma = record.indexOf(",", at);
      const end = comma === -1 ? record.length : comma;
      field = record.slice(at, end);
      at = end;
    }
    fields.push(field);
    if (at >= record.length) return fields;
    at += 1;
  }
}

const tsvEscapes: Readonly<Record<string, string>> = {
  "\\t": "\t",
  "\\n": "\n",
  "\\r": "\r",
  "\\\\": "\\",
};

/** The fields of one TSV record; `\t`, `\n`, `\r` and `\\` stand for what a field cannot hold. */
export function tsvFields(record: string): readonly string[] {
  return record
    .split("\t")
    .map((field) => field.replaceAll(/\\[tnr\\]/gu, (escape) => tsvEscapes[escape] ?? escape));
}

/**
 * A parser for the records after the header. The columns `key` or `key64`, `value` or `value64`,
 * and `contentType` say what their names say; with a key field, that column is the key and the
 * value is the whole row as a JSON object.
 */
export function separatedParser(
  header: Buffer,
  format: SeparatedFormat,
  keyField: string | undefined,
):
  | { readonly ok: true; readonly parse: EntryParser }
  | { readonly ok: false; readonly reason: string } {
  const split = format === "csv" ? csvFields : tsvFields;
  const headerText = textOf(header)?.replace(/^\uFEFF/u, "");
  const columns = headerText === undefined ? undefined : split(headerText);
  if (columns === undefined) return { ok: false, reason: "the header line cannot be read" };
  const wanted = keyField === undefined ? ["key", "key64"] : [keyField];
  if (!wanted.some((name) => columns.includes(name))) {
    return { ok: false, reason: `the header has no column ${wanted.join(" or ")}` };
  }
  if (keyField === undefined && !columns.some((name) => name === "value" || name === "value64")) {
    return { ok: false, reason: "the header has no column value or value64" };
  }
  return {
    ok: true,
    parse: (record) => {
      const text = textOf(record);
      if (text === undefined) return { ok: false, reason: "the record is not UTF-8" };
      const fields = split(text);
      if (fields === undefined) return { ok: false, reason: "a quoted field does not end" };
      if (fields.length !== columns.length) {
        const reason = `the record has ${fields.length} fields, the header ${columns.length}`;
        return { ok: false, reason };
      }
      const row = new Map(columns.map((name, index) => [name, fields[index] ?? ""]));
      return keyField === undefined ? plainRow(row) : wholeRow(row, keyField);
    },
  };
}

function plainRow(row: ReadonlyMap<string, string>): ParsedEntry {
  const key = rowBytes(row, "key");
  const value = rowBytes(row, "value");
  if (key === undefined || value === undefined) {
    return { ok: false, reason: "a base64 field is not base64" };
  }
  const problem = keyProblem(key);
  if (problem !== undefined) return { ok: false, reason: problem };
  const given = row.get("contentType") ?? "";
  const implied = row.has("value") ? TEXT_TYPE : BYTES_TYPE;
  const contentType = given === "" ? implied : given;
  if (!isContentType(contentType)) {
    return { ok: false, reason: "the contentType is not 1 to 255 ASCII characters" };
  }
  return { ok: true, entry: { key, values: [{ value, contentType }] } };
}

function wholeRow(row: ReadonlyMap<string, string>, keyField: string): ParsedEntry {
  const key = Buffer.from(row.get(keyField) ?? "", "utf8");
  const problem = keyProblem(key);
  if (problem !== undefined) return { ok: false, reason: problem };
  const value = Buffer.from(JSON.stringify(Object.fromEntries(row)), "utf8");
  return { ok: true, entry: { key, values: [{ value, contentType: JSON_TYPE }] } };
}

function rowBytes(row: ReadonlyMap<string, string>, name: string): Buffer | undefined {
  const text = row.get(name);
  return text === undefined ? fromBase64(row.get(`${name}64`) ?? "") : Buffer.from(text, "utf8");
}
