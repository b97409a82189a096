/** One value of the Redis protocol: what it says, or the values that it holds. */
export interface RespValue {
  readonly kind: "text" | "error" | "number" | "bulk" | "nothing" | "list";
  /** Of a bulk: only its length is of interest, unless it is within a list. */
  readonly text: string;
  readonly bytes: number;
  readonly items: readonly RespValue[];
}

/** As many complete values as one request is answered with. */
export interface RespAnswers {
  readonly values: readonly RespValue[];
  readonly length: number;
}

const cr = 13;

/** Finds `count` complete values at the beginning of `bytes`. */
export function parseResp(bytes: Buffer, count: number): RespAnswers | undefined {
  const values: RespValue[] = [];
  let at = 0;
  while (values.length < count) {
    const parsed = parseValue(bytes, at, false);
    if (parsed === undefined) return undefined;
    values.push(parsed.value);
    at = parsed.end;
  }
  return { values, length: at };
}

interface Parsed {
  readonly value: RespValue;
  readonly end: number;
}

function parseValue(bytes: Buffer, at: number, isWithin: boolean): Parsed | undefined {
  const lineEnd = bytes.indexOf(cr, at);
  if (lineEnd < 0 || lineEnd + 2 > bytes.length) return undefined;
  const text = bytes.toString("latin1", at + 1, lineEnd);
  const end = lineEnd + 2;
  const plain = (kind: RespValue["kind"]): Parsed => ({
    value: { kind, text, bytes: 0, items: [] },
    end,
  });
  switch (String.fromCharCode(bytes[at] as number)) {
    case "+":
      return plain("text");
    case ":":
      return plain("number");
    case "$": {
      const length = Number(text);
      if (length < 0) return plain("nothing");
      if (bytes.length < end + length + 2) return undefined;
      const content = isWithin ? bytes.toString("latin1", end, end + length) : "";
      const value: RespValue = { kind: "bulk", text: content, bytes: length, items: [] };
      return { value, end: end + length + 2 };
    }
    case "*":
      return parseList(bytes, end, Number(text));
    default:
      return plain("error");
  }
}

function parseList(bytes: Buffer, start: number, count: number): Parsed | undefined {
  const items: RespValue[] = [];
  let end = start;
  while (items.length < count) {
    const parsed = parseValue(bytes, end, true);
    if (parsed === undefined) return undefined;
    items.push(parsed.value);
    ({ end } = parsed);
  }
  return { value: { kind: "list", text: "", bytes: 0, items }, end };
}
